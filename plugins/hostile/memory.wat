;; A command whose memory is to grow by 1.25 GiB.
(component
  (core module $module
    (memory 1)
    (func (export "run") (result i32) (i32.eqz (memory.grow (i32.const 20000)))))
  (core instance $instance (instantiate $module))
  (func $run (result (result)) (canon lift (core func $instance "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
