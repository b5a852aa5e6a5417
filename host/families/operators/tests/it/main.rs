//! Operators of components and of probes: a component in text (`operator.wat`) and a probe in C (`probes/operator.c`).

mod c_operator;
mod fixture;
mod images;
mod report;
