import { assertEquals, assertThrows } from "@std/assert";
import { type Metric, renderMetrics } from "../../../server/metrics/exposition.ts";
import { Histogram } from "../../../server/metrics/histogram.ts";
import { parsePrometheusText } from "../../support/prometheus_text.ts";

Deno.test("renderMetrics() writes the bytes of the specification", () => {
  const histogram = new Histogram([0.05, 1]);
  for (const value of [0.05, 0.06, 1, 7]) histogram.observe(value);
  const metrics: Metric[] = [
    { name: "a_total", help: "One.", type: "counter", samples: [{ value: 1 }] },
    { name: "b_seconds", help: "Two.", type: "histogram", histogram },
  ];
  assertEquals(
    renderMetrics(metrics),
    "# HELP a_total One.\n# TYPE a_total counter\na_total 1\n" +
      "# HELP b_seconds Two.\n# TYPE b_seconds histogram\n" +
      'b_seconds_bucket{le="0.05"} 1\nb_seconds_bucket{le="1"} 3\nb_seconds_bucket{le="+Inf"} 4\n' +
      "b_seconds_sum 8.11\nb_seconds_count 4\n",
  );
});

Deno.test("renderMetrics() escapes helps and labels, so that they come back whole", () => {
  const odd = 'C:\\new "x"\n\\';
  const samples = [{ labels: { path: odd, other: "" }, value: 1e300 }, { value: -Infinity }];
  const text = renderMetrics([{ name: "odd", help: odd, type: "gauge", samples }]);
  assertEquals(parsePrometheusText(text).get("odd"), {
    help: odd,
    type: "gauge",
    samples: [
      { name: "odd", labels: { path: odd, other: "" }, value: 1e300 },
      { name: "odd", labels: {}, value: -Infinity },
    ],
  });
});

Deno.test("the parser of tests refuses what the specification does not allow", () => {
  const head = "# HELP a_total x\n# TYPE a_total counter\n";
  const histogram = "# HELP h x\n# TYPE h histogram\n";
  const wrong = [
    `${head}a_total 1`,
    `${head}a_total`,
    `${head}a_total 1\na_total 2\n`,
    `${head}a_total -1\n`,
    `${head}a_total 1,0\n`,
    `${head}b_total 1\n`,
    `${head}a_total{x="1\\q"} 1\n`,
    `${head}a_total{x="1} 1\n`,
    `${head}a_total{x-y="1"} 1\n`,
    `${head}a_total{x="1",x="2"} 1\n`,
    `${head}a_total 1\n${head}a_total{x="1"} 1\n`,
    "# TYPE a_total counter\na_total 1\n",
    "# HELP a x\n# TYPE a counter\na 1\n",
    "# HELP a x\n# TYPE a metre\na 1\n",
    `${histogram}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`,
    `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
    `${histogram}h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
    `${histogram}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`,
    `${histogram}h_bucket{le="+Inf"} 1\nh_count 1\n`,
  ];
  for (const text of wrong) assertThrows(() => parsePrometheusText(text), Error, undefined, text);
});
