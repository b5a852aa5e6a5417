;; A plug-in whose name clears the screen.
(module
  ;; The descriptor at 64, the name at 256.
  (memory (export "memory") 1)
  (data (i32.const 256) "\1b[2Jowned")

  (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32)
    (i32.store (i32.const 64) (i32.const 256))
    (i32.store (i32.const 68) (i32.const 9))
    i32.const 64))
