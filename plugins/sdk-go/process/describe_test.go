package process

import (
	"strings"
	"testing"

	"bench-host/sdk-go/bench"
)

func TestADescriptorIsPrintedAsTheHostReadsIt(t *testing.T) {
	scenario := bench.NewScenario("s", "f", "Says \"<what>\".\n").
		InArms(bench.Wasm, bench.Process).
		TimesItself(bench.Nanoseconds, "from here to there").
		CanUse("cpu:2", "two sides").
		WithParameters(
			bench.NewParameter("size_bytes", 64, "how much").In(bench.Bytes).Sweep(64, 128).Between(1, 4096),
			bench.NewParameter("ratio", 1.0, "how often").OneOf(1.0, 0.5, 1e300),
			bench.NewParameter("mode", "a", "which\x01"),
			bench.NewParameter("on", true, "whether"),
		).
		WithMetrics(bench.Metric{Name: "lag", Unit: bench.Count, Direction: bench.Neutral, Labels: []string{"side"}})
	expect := `{"name":"m","version":"1","summary":"One.","scenarios":[{"name":"s","driver":"operator","family":"f",` +
		`"summary":"Says \"<what>\".\n","parameters":[` +
		`{"name":"size_bytes","summary":"how much","unit":"By","defaults":[64,128],"domain":{"between":[1,4096]}},` +
		`{"name":"ratio","summary":"how often","defaults":[1e+00],"domain":{"choices":[1e+00,5e-01,1e+300]}},` +
		`{"name":"mode","summary":"which\u0001","defaults":["a"],"domain":"any"},` +
		`{"name":"on","summary":"whether","defaults":[true],"domain":"any"}],` +
		`"metrics":[{"name":"s","summary":"from here to there","unit":"ns","direction":"lower-is-better"},` +
		`{"name":"lag","summary":"","unit":"1","direction":"neutral","labels":["side"]}],` +
		`"requirements":[{"capability":"arm:wasm,process","purpose":"it is meaningless in other arms"},` +
		`{"capability":"clock:own","purpose":"the module has to start and stop the clock itself"},` +
		`{"capability":"cpu:2","purpose":"two sides","optional":true}]}]}` + "\n"
	var printed strings.Builder
	if err := describe(&printed, bench.NewDescriptor("m", "1", "One.", scenario)); err != nil || printed.String() != expect {
		t.Errorf("(%v)\n%s instead of\n%s", err, printed.String(), expect)
	}
}
