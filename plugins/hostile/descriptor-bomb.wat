;; A plug-in whose description takes a megabyte and is to be read as a hundred million values: a thousand scenarios have the same ten thousand
;; parameters, each of which has the same ten values. All texts are empty.
(module
  ;; From 0 on zeros; the descriptor at 64; the values from 128 on, 16 bytes each; the scenarios from 1024 on, 68 bytes each; the parameters
  ;; from 131072 on, 72 bytes each.
  (memory (export "memory") 16)

  ;; Writes a list, by where it lies and how long it is.
  (func $list (param $at i32) (param $from i32) (param $length i32)
    (i32.store (local.get $at) (local.get $from))
    (i32.store offset=4 (local.get $at) (local.get $length)))

  (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32)
    (local $number i32)
    (loop $scenario
      (call $list
        (i32.add (i32.const 1068) (i32.mul (local.get $number) (i32.const 68))) (i32.const 131072) (i32.const 10000))
      (local.set $number (i32.add (local.get $number) (i32.const 1)))
      (br_if $scenario (i32.lt_u (local.get $number) (i32.const 1000))))
    (local.set $number (i32.const 0))
    (loop $parameter
      (call $list
        (i32.add (i32.const 131096) (i32.mul (local.get $number) (i32.const 72))) (i32.const 128) (i32.const 10))
      (local.set $number (i32.add (local.get $number) (i32.const 1)))
      (br_if $parameter (i32.lt_u (local.get $number) (i32.const 10000))))
    (call $list (i32.const 88) (i32.const 1024) (i32.const 1000))
    i32.const 64))
