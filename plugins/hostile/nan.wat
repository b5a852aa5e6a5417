;; A plug-in with a parameter whose default is not a number.
(module
  ;; The descriptor at 64, texts from 256 on, the scenario at 512, its parameter at 640, the default at 768.
  (memory (export "memory") 1)
  (data (i32.const 256) "nan0workloadhostileshare")

  ;; Writes a text or a list, by where it lies and how long it is.
  (func $list (param $at i32) (param $from i32) (param $length i32)
    (i32.store (local.get $at) (local.get $from))
    (i32.store offset=4 (local.get $at) (local.get $length)))

  (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32)
    ;; Name, version, scenarios.
    (call $list (i32.const 64) (i32.const 256) (i32.const 3))
    (call $list (i32.const 72) (i32.const 259) (i32.const 1))
    (call $list (i32.const 88) (i32.const 512) (i32.const 1))
    ;; Name, driver, family, parameters.
    (call $list (i32.const 512) (i32.const 256) (i32.const 3))
    (call $list (i32.const 520) (i32.const 260) (i32.const 8))
    (call $list (i32.const 528) (i32.const 268) (i32.const 7))
    (call $list (i32.const 556) (i32.const 640) (i32.const 1))
    ;; Name, defaults.
    (call $list (i32.const 640) (i32.const 275) (i32.const 5))
    (call $list (i32.const 664) (i32.const 768) (i32.const 1))
    ;; A decimal.
    (i32.store8 (i32.const 768) (i32.const 2))
    (f64.store (i32.const 776) (f64.const nan))
    i32.const 64))
