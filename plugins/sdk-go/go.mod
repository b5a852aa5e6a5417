// With this a plug-in is written in Go. It needs no other module.
module bench-host/sdk-go

go 1.25
