//! A function that answers wrongly, only in the component. The amount of memory that it is asked to fill selects how, because a
//! function gets no other argument.

use bench_plugin::model::Arm;
use bench_plugin::prelude::*;

/// Answers that are not the right one; nothing; never; a trap; fields of headers without number; fields without end.
const DEEDS: [i64; 6] = [1, 2, 3, 4, 5, 6];

pub(crate) fn describe() -> Scenario {
    Scenario::new("cold-start", "hostile", "Starts a function that does not answer as it should.")
        .driven_by("function")
        .in_arms([Arm::Wasm])
        .times_itself(Unit::Nanoseconds, "no clock ever stops")
        .parameter(Parameter::new("start", "wasm-pooled", "as for any component"))
        .parameter(Parameter::new("heap_bytes", 1, "the deed").sweep(DEEDS).choices(DEEDS))
        .parameter(Parameter::new("init_ms", 0, "nothing"))
        .metric(Metric::new("stage", Unit::Nanoseconds, "A part.").label("name"))
}

#[cfg(target_family = "wasm")]
mod handler {
    use wasip2::exports::http::incoming_handler::Guest;
    use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

    struct Handler;

    impl Guest for Handler {
        fn handle(_: IncomingRequest, outparam: ResponseOutparam) {
            match std::env::var("BENCH_HEAP_BYTES").as_deref() {
                Ok("1") => {
                    let response = OutgoingResponse::new(Fields::new());
                    let body = response.body().expect("it was not taken before");
                    ResponseOutparam::set(outparam, Ok(response));
                    let stream = body.write().expect("it was not taken before");
                    stream.blocking_write_and_flush(b"{\"greeting\":\"Hello\"}").expect("somebody reads");
                    drop(stream);
                    OutgoingBody::finish(body, None).expect("no length was promised");
                }
                Ok("2") => {}
                Ok("3") => loop {
                    std::hint::spin_loop();
                },
                Ok("5") => loop {
                    std::mem::forget(Fields::new());
                },
                Ok("6") => {
                    let fields = Fields::new();
                    // More than servers accept, and less than the worker has room for.
                    (0..100).for_each(|_| fields.append("x-filled", &[b'x'; 1_000]).expect("they have room"));
                }
                _ => panic!("a deliberate panic"),
            }
        }
    }

    wasip2::http::proxy::export!(Handler);
}
