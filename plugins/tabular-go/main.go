// The scenario `model` of the family `tabular` in Go: the same paths and columns as those of the plug-in `tabular`, as a component.
package main

import (
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/workload"
	"bench-host/tabular-go/construction"
)

// describe returns the descriptor. Parameters and metrics are those of `tabular/model`.
func describe() bench.Descriptor {
	summary := "Resolves paths against a model of classes into objects; an operation is all of `objects`."
	model := bench.NewWorkload("model", "tabular", summary).WithParameters(
		bench.NewParameter("classes", 400, "classes of the model, each with 12 attributes and 4 references").Between(1, 100_000),
		bench.NewParameter("objects", 10_000, "objects that an operation constructs").Between(1, 10_000_000),
		bench.NewParameter("kind", "path", "what is constructed: a path, or a column, which also has its heading").OneOf("path", "column"),
		bench.NewParameter("metric_goal", "throughput", "whether objects are dropped at once, but for the sample (throughput), or all kept until the end of the operation (memory)").
			OneOf("throughput", "memory"),
		bench.NewParameter("sample_mode", "none", "which objects are kept if metric_goal=throughput: none, the first ones (head), or evenly spaced ones (stride)").
			OneOf("none", "head", "stride"),
		bench.NewParameter("sample_size", 64, "number of objects in the sample").Between(1, 1_000_000),
	).WithMetrics(
		bench.Metric{Name: "retained", Summary: "bytes of the objects that an operation keeps, with all that they own, once per process", Unit: bench.Bytes},
		bench.Metric{Name: "kept", Summary: "objects that an operation keeps, once per process", Unit: bench.Count, Direction: bench.Neutral},
	)
	return bench.NewDescriptor("tabular-go", "0.1.0", "Paths and columns of a model in Go.", model)
}

func init() { workload.Export(describe, construction.Open) }

func main() {}
