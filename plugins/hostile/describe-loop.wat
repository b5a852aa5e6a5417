;; A plug-in whose description never comes.
(module
  (memory (export "memory") 1)
  (func (export "bench-host:workload/plugin@0.1.0#describe") (result i32)
    (loop $again (br $again))
    unreachable))
