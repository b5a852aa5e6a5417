;; A module for the tests whose stages give back the first table that they take, whatever they are asked for.
(module
  ;; From 0 on what `run` returns, from 256 on texts, from 1024 on the descriptor, from 4096 on what is allocated.
  (memory (export "memory") 1)
  (data (i32.const 256) "echo0stage-passstage-scanstagetabular")
  (global $next (mut i32) (i32.const 4096))

  (func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32) (local $bytes i32)
    (local.set $at (i32.and
      (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.set $bytes (i32.shl (memory.size) (i32.const 16)))
    (if (i32.gt_u (global.get $next) (local.get $bytes))
      (then (drop (memory.grow (i32.add (i32.const 1)
        (i32.shr_u (i32.sub (global.get $next) (local.get $bytes)) (i32.const 16)))))))
    local.get $at)

  ;; A pair of words: a text or a list, by where it lies and how long it is.
  (func $pair (param $at i32) (param $first i32) (param $second i32)
    (i32.store (local.get $at) (local.get $first))
    (i32.store (i32.add (local.get $at) (i32.const 4)) (local.get $second)))

  (func $scenario (param $at i32) (param $name i32)
    (call $pair (local.get $at) (local.get $name) (i32.const 10))
    (call $pair (i32.add (local.get $at) (i32.const 8)) (i32.const 281) (i32.const 5))
    (call $pair (i32.add (local.get $at) (i32.const 16)) (i32.const 286) (i32.const 7))
    (call $pair (i32.add (local.get $at) (i32.const 24)) (local.get $name) (i32.const 10)))

  (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32)
    (call $pair (i32.const 1024) (i32.const 256) (i32.const 4))
    (call $pair (i32.const 1032) (i32.const 260) (i32.const 1))
    (call $pair (i32.const 1040) (i32.const 256) (i32.const 4))
    (call $pair (i32.const 1048) (i32.const 1056) (i32.const 2))
    (call $scenario (i32.const 1056) (i32.const 261))
    (call $scenario (i32.const 1124) (i32.const 271))
    i32.const 1024)

  (func (export "bench-host:tabular/stage@0.1.0#run")
    (param $scenario i32) (param $scenario-length i32) (param $arguments i32) (param $arguments-length i32)
    (param $files i32) (param $files-length i32) (param $tables i32) (param $tables-length i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (call $pair (i32.const 4) (i32.load (local.get $tables)) (i32.load (i32.add (local.get $tables) (i32.const 4))))
    i32.const 0)

  ;; Frees what the host has put there for the call.
  (func (export "cabi_post_bench-host:tabular/stage@0.1.0#run") (param $result i32)
    (global.set $next (i32.const 4096))))
