;; A module for the tests that carries batches. `read` emits the batch `batch` 3 times; of the scenario `wrong` it asks for one
;; instead. `write` takes batches until there are no more, and adds up their last bytes.
(module
  (import "bench-host:pipeline/batches@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (import "bench-host:pipeline/batches@0.1.0" "next" (func $next-batch (param i32)))

  ;; From 0 on what exports return, from 64 on what imports return, from 96 on a stage, from 256 on texts, from 1024 on the
  ;; descriptor, from 4096 on what is allocated.
  (memory (export "memory") 1)
  (data (i32.const 256) "carrier0readwrongwritesourcedestinationtestbatchfetchclosedlarge")
  (global $next (mut i32) (i32.const 4096))

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

  (func $scenario (param $at i32) (param $name i32) (param $name-length i32) (param $driver i32) (param $driver-length i32)
    (call $pair (local.get $at) (local.get $name) (local.get $name-length))
    (call $pair (i32.add (local.get $at) (i32.const 8)) (local.get $driver) (local.get $driver-length))
    (call $pair (i32.add (local.get $at) (i32.const 16)) (i32.const 295) (i32.const 4))
    (call $pair (i32.add (local.get $at) (i32.const 24)) (local.get $name) (local.get $name-length)))

  (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32)
    (call $pair (i32.const 1024) (i32.const 256) (i32.const 7))
    (call $pair (i32.const 1032) (i32.const 263) (i32.const 1))
    (call $pair (i32.const 1040) (i32.const 256) (i32.const 7))
    (call $pair (i32.const 1048) (i32.const 1056) (i32.const 3))
    (call $scenario (i32.const 1056) (i32.const 264) (i32.const 4) (i32.const 278) (i32.const 6))
    (call $scenario (i32.const 1124) (i32.const 268) (i32.const 5) (i32.const 278) (i32.const 6))
    (call $scenario (i32.const 1192) (i32.const 273) (i32.const 5) (i32.const 284) (i32.const 11))
    i32.const 1024)

  ;; The result of an export that did its work: rows, bytes, and one stage.
  (func $report (param $records i64) (param $bytes i64) (result i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (i64.store (i32.const 8) (local.get $records))
    (i64.store (i32.const 16) (local.get $bytes))
    (call $pair (i32.const 24) (i32.const 96) (i32.const 1))
    (call $pair (i32.const 96) (i32.const 304) (i32.const 5))
    (i64.store (i32.const 104) (i64.const 42))
    i32.const 0)

  ;; The result of an export that stops because an import did: an error that says `closed`, `large`, or what the host says.
  (func $failure (result i32)
    (local $case i32)
    (local.set $case (i32.load8_u (i32.const 72)))
    (i32.store8 (i32.const 0) (i32.const 1))
    (i32.store8 (i32.const 8) (i32.const 4))
    (if (i32.eq (local.get $case) (i32.const 0)) (then (call $pair (i32.const 12) (i32.const 309) (i32.const 6))))
    (if (i32.eq (local.get $case) (i32.const 1)) (then (call $pair (i32.const 12) (i32.const 315) (i32.const 5))))
    (if (i32.eq (local.get $case) (i32.const 2))
      (then (call $pair (i32.const 12) (i32.load (i32.const 80)) (i32.load (i32.const 84)))))
    i32.const 0)

  (func (export "bench-host:pipeline/source@0.1.0#read")
    (param $scenario i32) (param $scenario-length i32) (param $arguments i32) (param $arguments-length i32) (result i32)
    (local $left i32)
    (if (i32.eq (local.get $scenario-length) (i32.const 5))
      (then
        (call $next-batch (i32.const 64))
        (if (i32.load8_u (i32.const 64)) (then (return (call $failure))))
        unreachable))
    (local.set $left (i32.const 3))
    (loop $again
      (call $emit (i32.const 299) (i32.const 5) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (return (call $failure))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (call $report (i64.const 6) (i64.const 15)))

  (func (export "bench-host:pipeline/destination@0.1.0#write")
    (param $scenario i32) (param $scenario-length i32) (param $arguments i32) (param $arguments-length i32) (result i32)
    (local $records i64) (local $bytes i64) (local $length i32)
    (loop $again
      (call $next-batch (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (return (call $failure))))
      (if (i32.load8_u (i32.const 72))
        (then
          (local.set $length (i32.load (i32.const 80)))
          (local.set $bytes (i64.add (local.get $bytes) (i64.extend_i32_u (local.get $length))))
          (if (local.get $length)
            (then (local.set $records (i64.add (local.get $records) (i64.load8_u
              (i32.sub (i32.add (i32.load (i32.const 76)) (local.get $length)) (i32.const 1)))))))
          (br $again))))
    (call $report (local.get $records) (local.get $bytes))))
