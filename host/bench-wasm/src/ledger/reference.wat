;; What the boundary costs, apart from all else: functions that do nothing but cross it.
(component
  (import "stamped" (func $stamped))
  (import "unstamped" (func $unstamped))
  (import "echo" (func $echo (param "list" (list u8)) (result (list u8))))

  ;; Memory, and an allocator that gives out what comes next until it is told to begin again.
  (core module $allocator
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      global.get $next
      (global.set $next (i32.add (global.get $next) (local.get $size))))
    (func (export "reset") (param i32)
      (global.set $next (i32.const 1024))))
  (core instance $allocator (instantiate $allocator))

  (core func $stamped (canon lower (func $stamped)))
  (core func $unstamped (canon lower (func $unstamped)))
  (core func $echo (canon lower (func $echo)
    (memory (core memory $allocator "memory"))
    (realloc (core func $allocator "realloc"))))

  (core module $main
    (import "allocator" "memory" (memory 2))
    (import "allocator" "reset" (func $reset (param i32)))
    (import "host" "stamped" (func $stamped))
    (import "host" "unstamped" (func $unstamped))
    (import "host" "echo" (func $echo (param i32 i32 i32)))
    (func (export "empty"))
    (func (export "call-stamped") (param $times i32)
      (loop $again
        call $stamped
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    (func (export "call-unstamped") (param $times i32)
      (loop $again
        call $unstamped
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    ;; 64 bytes from 512 on go out; where they come back to is written to 0.
    (func (export "call-echo") (param $times i32)
      (loop $again
        (call $echo (i32.const 512) (i32.const 64) (i32.const 0))
        (call $reset (i32.const 0))
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
    ;; The list lies where the host has put it; its place and length are the result.
    (func (export "identity") (param $list i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (local.get $list))
      (i32.store (i32.const 4) (local.get $length))
      i32.const 0))
  (core instance $main (instantiate $main
    (with "allocator" (instance $allocator))
    (with "host" (instance
      (export "stamped" (func $stamped))
      (export "unstamped" (func $unstamped))
      (export "echo" (func $echo))))))

  (func (export "empty") (canon lift (core func $main "empty")))
  (func (export "call-stamped") (param "times" u32) (canon lift (core func $main "call-stamped")))
  (func (export "call-unstamped") (param "times" u32) (canon lift (core func $main "call-unstamped")))
  (func (export "call-echo") (param "times" u32) (canon lift (core func $main "call-echo")))
  (func (export "identity") (param "list" (list u8)) (result (list u8))
    (canon lift (core func $main "identity")
      (memory (core memory $allocator "memory"))
      (realloc (core func $allocator "realloc"))
      (post-return (core func $allocator "reset")))))
