;; A module for the tests, of which everything is known. It has two scenarios: an operation of `exchange` appends 5 samples
;; 3 times and sends 24 bytes through a ring 2 times; an operation of `compute` turns a loop 1000 times and calls nobody.
(module
  (import "bench-host:workload/metrics@0.1.0" "[static]series.open"
    (func $series-open (param i32 i32 i32 i32 i32)))
  (import "bench-host:workload/metrics@0.1.0" "[method]series.append" (func $append (param i32 i32 i32)))
  (import "bench-host:ring/ring@0.1.0" "[static]producer.open"
    (func $producer-open (param i32 i32 i32 i32 i32)))
  (import "bench-host:ring/ring@0.1.0" "[method]producer.push" (func $push (param i32 i32 i32 i32)))
  (import "bench-host:ring/ring@0.1.0" "[static]consumer.open" (func $consumer-open (param i32 i32 i32)))
  (import "bench-host:ring/ring@0.1.0" "[method]consumer.pop" (func $pop (param i32 i32)))
  (import "[export]bench-host:workload/sessions@0.1.0" "[resource-new]session" (func $new (param i32) (result i32)))

  ;; From 0 on what exports return, from 64 on what imports return, from 256 on texts, from 512 on samples and messages, from
  ;; 1024 on the descriptor, from 4096 on what is allocated.
  (memory (export "memory") 1)
  (data (i32.const 256) "fixture0.1.0exchangecomputeworkloadtestsamples1ringhas-run")
  (global $next (mut i32) (i32.const 4096))
  (global $series (mut i32) (i32.const 0))
  (global $producer (mut i32) (i32.const 0))
  (global $consumer (mut i32) (i32.const 0))
  (global $done (mut i64) (i64.const 0))

  (func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    local.get $at)

  ;; A pair of words: a text or a list, by where it lies and how long it is.
  (func $pair (param $at i32) (param $first i32) (param $second i32)
    (i32.store (local.get $at) (local.get $first))
    (i32.store (i32.add (local.get $at) (i32.const 4)) (local.get $second)))

  (func $scenario (param $at i32) (param $name i32) (param $name-length i32) (param $metrics i32)
    (call $pair (local.get $at) (local.get $name) (local.get $name-length))
    (call $pair (i32.add (local.get $at) (i32.const 8)) (i32.const 283) (i32.const 8))
    (call $pair (i32.add (local.get $at) (i32.const 16)) (i32.const 291) (i32.const 4))
    (call $pair (i32.add (local.get $at) (i32.const 24)) (local.get $name) (local.get $name-length))
    ;; No limit at 32, no parameters at 44, no requirements at 60.
    (call $pair (i32.add (local.get $at) (i32.const 52)) (i32.const 1192) (local.get $metrics)))

  (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32)
    (call $pair (i32.const 1024) (i32.const 256) (i32.const 7))
    (call $pair (i32.const 1032) (i32.const 263) (i32.const 5))
    (call $pair (i32.const 1040) (i32.const 256) (i32.const 7))
    (call $pair (i32.const 1048) (i32.const 1056) (i32.const 2))
    (call $scenario (i32.const 1056) (i32.const 268) (i32.const 8) (i32.const 1))
    (call $scenario (i32.const 1124) (i32.const 276) (i32.const 7) (i32.const 0))
    (call $pair (i32.const 1192) (i32.const 295) (i32.const 7))
    (call $pair (i32.const 1200) (i32.const 295) (i32.const 7))
    (call $pair (i32.const 1208) (i32.const 302) (i32.const 1))
    (i32.store8 (i32.const 1216) (i32.const 2))
    i32.const 1024)

  ;; The handle in a result that is to be one.
  (func $handle (param $at i32) (result i32)
    (if (i32.load8_u (local.get $at)) (then unreachable))
    (i32.load (i32.add (local.get $at) (i32.const 4))))

  ;; A session is its scenario's first letter.
  (func (export "bench-host:workload/sessions@0.1.0#[static]session.open")
    (param $name i32) (param $name-length i32) (param $arguments i32) (param $arguments-length i32) (result i32)
    (local $letter i32)
    (local.set $letter (i32.load8_u (local.get $name)))
    (if (i32.eq (local.get $letter) (i32.const 0x65)) (then
      (call $series-open (i32.const 295) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 64))
      (global.set $series (call $handle (i32.const 64)))
      (call $producer-open (i32.const 303) (i32.const 4) (i32.const 4096) (i32.const 0) (i32.const 64))
      (global.set $producer (call $handle (i32.const 64)))
      (call $consumer-open (i32.const 303) (i32.const 4) (i32.const 64))
      (global.set $consumer (call $handle (i32.const 64)))))
    (call $pair (i32.const 0) (i32.const 0) (call $new (local.get $letter)))
    i32.const 0)

  (func $exchange
    (global.set $next (i32.const 4096))
    (call $append (global.get $series) (i32.const 512) (i32.const 5))
    (call $append (global.get $series) (i32.const 512) (i32.const 5))
    (call $append (global.get $series) (i32.const 512) (i32.const 5))
    (call $push (global.get $producer) (i32.const 512) (i32.const 24) (i32.const 64))
    (call $pop (global.get $consumer) (i32.const 80))
    (call $push (global.get $producer) (i32.const 512) (i32.const 24) (i32.const 64))
    (call $pop (global.get $consumer) (i32.const 80)))

  (func $compute
    (local $left i32)
    (local.set $left (i32.const 1000))
    (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))

  (func (export "bench-host:workload/sessions@0.1.0#[method]session.iterate")
    (param $session i32) (param $times i64) (result i32)
    (local $left i64)
    (local.set $left (local.get $times))
    (block $done
      (loop $again
        (br_if $done (i64.eqz (local.get $left)))
        (if (i32.eq (local.get $session) (i32.const 0x65)) (then call $exchange) (else call $compute))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        br $again))
    (global.set $done (i64.add (global.get $done) (local.get $times)))
    (i64.store (i32.const 0) (i64.const 0))
    (i64.store (i32.const 8) (local.get $times))
    (i64.store (i32.const 16) (i64.const 0))
    (i64.store (i32.const 24) (i64.const 7))
    i32.const 0)
  (func (export "cabi_post_bench-host:workload/sessions@0.1.0#[method]session.iterate") (param i32))

  (func (export "bench-host:workload/sessions@0.1.0#[method]session.verify") (param $session i32) (result i32)
    (call $pair (i32.const 96) (i32.const 307) (i32.const 7))
    (i32.store8 (i32.const 104) (i64.ne (global.get $done) (i64.const 0)))
    (call $pair (i32.const 108) (i32.const 307) (i32.const 7))
    (i32.store (i32.const 0) (i32.const 0))
    (call $pair (i32.const 4) (i32.const 96) (i32.const 1))
    i32.const 0))
