//! What comes out for run files that were written by hand. One binary, so that it links once; nothing is measured.

mod compared;
mod comparison;
mod comparison_documents;
mod comparison_sides;
mod documents;
mod exports;
mod fixture;
mod formats;
mod golden;
mod history;
mod hosts;
mod html;
mod html_parts;
mod ladders;
mod page_families;
mod readers;
mod speed;
mod tables;
mod usage;
mod views;
