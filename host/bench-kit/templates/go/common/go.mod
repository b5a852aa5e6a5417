module {{name}}

go 1.25

require bench-host/sdk-go v0.0.0

// The copy that came with bench-host {{version}}; `bench-host sdk --copy sdk` brings it up to date.
replace bench-host/sdk-go => ./sdk/go
