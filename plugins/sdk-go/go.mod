// With this a plug-in is written in Go. It needs no other module; a component also needs the bindings, which its build makes.
module bench-host/sdk-go

go 1.25
