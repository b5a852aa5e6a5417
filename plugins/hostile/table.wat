;; A command whose table is to grow by 400,000 elements.
(component
  (core module $module
    (table 1 funcref)
    (func (export "run") (result i32) (i32.eqz (table.grow (ref.null func) (i32.const 400000)))))
  (core instance $instance (instantiate $module))
  (func $run (result (result)) (canon lift (core func $instance "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
