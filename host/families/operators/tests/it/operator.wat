;; An operator for the tests that keeps no state of its own: `suspend` gives nothing, and `resume` refuses. It applies the nonce of
;; what it sees, and how many it has seen, which it has only in its memory. It counts in a global besides, and traps where the two
;; are not the same. What it allocates it never gives back, so that its memory grows.
(module
  (import "bench-host:operator/control-plane@0.2.0" "apply"
    (func $apply (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:io/poll@0.2.0" "[resource-drop]pollable" (func $drop (param i32)))
  (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $subscribe (param i64) (result i32)))
  (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
  (import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))

  ;; From 0 on what exports return, from 64 on what imports return, at 120 the count, from 128 on what the start has found, from 256
  ;; on texts, from 512 on the spec, from 1024 on the descriptor, from 4096 on what is allocated.
  (memory (export "memory") 1)
  (data (i32.const 256) "operator0chaintestTestResource{\"nonce\":,\"count\":}keptwatchapply")
  (global $next (mut i32) (i32.const 4096))
  (global $count (mut i64) (i64.const 0))
  (global $real (mut f64) (f64.const 0))
  ;; The namespace that is written to.
  (global $namespace (mut i32) (i32.const 0))
  (global $namespace-length (mut i32) (i32.const 0))

  ;; What the time is, and what chance gives, while the instance is made.
  (start $begin)
  (func $begin
    (i64.store (i32.const 128) (call $now))
    (i64.store (i32.const 136) (call $random)))

  (func $realloc (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
      (then (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))))
    local.get $at)

  ;; A pair of words: a text or a list, by where it lies and how long it is.
  (func $pair (param $at i32) (param $first i32) (param $second i32)
    (i32.store (local.get $at) (local.get $first))
    (i32.store (i32.add (local.get $at) (i32.const 4)) (local.get $second)))

  (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32)
    (call $pair (i32.const 1024) (i32.const 256) (i32.const 8))
    (call $pair (i32.const 1032) (i32.const 264) (i32.const 1))
    (call $pair (i32.const 1040) (i32.const 256) (i32.const 8))
    (call $pair (i32.const 1048) (i32.const 1056) (i32.const 1))
    (call $pair (i32.const 1056) (i32.const 265) (i32.const 5))
    (call $pair (i32.const 1064) (i32.const 256) (i32.const 8))
    (call $pair (i32.const 1072) (i32.const 270) (i32.const 4))
    (call $pair (i32.const 1080) (i32.const 265) (i32.const 5))
    i32.const 1024)

  ;; Its second argument is what it writes to, where its first is what it watches.
  (func (export "bench-host:operator/operator@0.2.0#start") (param $arguments i32) (param $length i32) (result i32)
    (global.set $namespace (i32.load offset=24 (local.get $arguments)))
    (global.set $namespace-length (i32.load offset=28 (local.get $arguments)))
    (call $pair (i32.const 96) (i32.const 274) (i32.const 12))
    (call $pair (i32.const 104) (i32.load offset=8 (local.get $arguments)) (i32.load offset=12 (local.get $arguments)))
    (i32.store (i32.const 0) (i32.const 0))
    (call $pair (i32.const 4) (i32.const 96) (i32.const 1))
    i32.const 0)

  ;; Copies a text to $to; where it ends.
  (func $copy (param $to i32) (param $from i32) (param $length i32) (result i32)
    (memory.copy (local.get $to) (local.get $from) (local.get $length))
    (i32.add (local.get $to) (local.get $length)))

  ;; Writes a number in decimal; where it ends.
  (func $decimal (param $to i32) (param $value i64) (result i32)
    (if (i64.ge_u (local.get $value) (i64.const 10))
      (then (local.set $to (call $decimal (local.get $to) (i64.div_u (local.get $value) (i64.const 10))))))
    (i32.store8 (local.get $to) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10)))))
    (i32.add (local.get $to) (i32.const 1)))

  ;; How many digits there are.
  (func $digits (param $at i32) (result i32)
    (local $length i32)
    (loop $again
      (if (i32.lt_u (i32.sub (i32.load8_u (i32.add (local.get $at) (local.get $length))) (i32.const 48)) (i32.const 10))
        (then (local.set $length (i32.add (local.get $length) (i32.const 1))) (br $again))))
    local.get $length)

  ;; An object called `kept` has it open something for good.
  (func (export "bench-host:operator/operator@0.2.0#reconcile")
    (param $case i32) (param $kind i32) (param $kind-length i32) (param $in i32) (param $in-length i32)
    (param $name i32) (param $name-length i32) (param $version i64) (param $spec i32) (param $spec-length i32) (result i32)
    (local $end i32)
    (i32.store (i32.const 0) (i32.const 0))
    (if (i64.ne (i64.load (i32.const 120)) (global.get $count)) (then unreachable))
    (if (f64.ne (global.get $real) (f64.convert_i64_u (global.get $count))) (then unreachable))
    (if (i64.lt_u (call $now) (i64.load (i32.const 144))) (then unreachable))
    (i64.store (i32.const 144) (call $now))
    (global.set $count (i64.add (global.get $count) (i64.const 1)))
    (global.set $real (f64.add (global.get $real) (f64.const 1)))
    (i64.store (i32.const 120) (global.get $count))
    (if (i32.eq (i32.load (local.get $name)) (i32.load (i32.const 305)))
      (then (drop (call $subscribe (i64.const 0)))))
    (call $drop (call $subscribe (i64.const 0)))
    (drop (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 20000)))
    (local.set $end (call $copy (i32.const 512) (i32.const 286) (i32.const 9)))
    (local.set $end (call $copy (local.get $end)
      (i32.add (local.get $spec) (i32.const 9))
      (call $digits (i32.add (local.get $spec) (i32.const 9)))))
    (local.set $end (call $copy (local.get $end) (i32.const 295) (i32.const 9)))
    (local.set $end (call $decimal (local.get $end) (global.get $count)))
    (local.set $end (call $copy (local.get $end) (i32.const 304) (i32.const 1)))
    (call $apply (local.get $kind) (local.get $kind-length) (global.get $namespace) (global.get $namespace-length)
      (local.get $name) (local.get $name-length)
      (i32.const 512) (i32.sub (local.get $end) (i32.const 512)) (i32.const 64))
    (if (i32.load8_u (i32.const 64)) (then unreachable))
    i32.const 0)

  (func (export "bench-host:operator/operator@0.2.0#suspend") (result i32)
    (call $pair (i32.const 0) (i32.const 0) (i32.const 0))
    i32.const 0)

  (func (export "bench-host:operator/operator@0.2.0#resume") (param $state i32) (param $length i32) (result i32)
    (i32.store (i32.const 0) (i32.const 1))
    (call $pair (i32.const 4) (i32.const 305) (i32.const 4))
    i32.const 0))
