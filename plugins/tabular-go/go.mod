module bench-host/tabular-go

go 1.25

require bench-host/sdk-go v0.0.0

replace bench-host/sdk-go => ../sdk-go
