using System.Collections.Concurrent;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Client.Testing;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>The publisher through the real OTLP exporter over HTTP, received by an endpoint that takes the protobuf apart.</summary>
[Collection(nameof(ScrapedHost))]
public sealed class OtlpTests
{
    [Fact]
    public async Task An_OTLP_backend_receives_the_names_tags_and_values_of_the_service()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Key = FalAccount.Key });
        var bodies = new ConcurrentQueue<byte[]>();
        await using WebApplication backend = await StartBackendAsync(bodies);
        await using ScrapedHost host = await ScrapedHost.StartAsync(simulator.BaseAddress, m => m.AddOtlpExporter((otlp, reader) =>
        {
            otlp.Endpoint = new Uri($"{backend.Urls.First()}/v1/metrics");
            otlp.Protocol = OtlpExportProtocol.HttpProtobuf;
            // The test flushes; nothing is sent by the hour.
            reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 3_600_000;
        }));

        // What it returns is about the exporter to Prometheus too, which only a scrape can make collect.
        host.Services.GetRequiredService<MeterProvider>().ForceFlush(60_000);

        List<OtlpMetric> metrics = OtlpMetric.Parse(Assert.Single(bodies));
        Assert.All(metrics, metric => Assert.Equal(FalMetricsPublisher.MeterName, metric.Scope));
        IEnumerable<PrometheusSample> sent = host.Publisher.State.Snapshot!.Families.SelectMany(family => family.Samples);
        Assert.Equal(
            sent.Select(sample => sample.ToString()).Order(StringComparer.Ordinal),
            metrics.Where(metric => metric.Name.StartsWith("fal_app_", StringComparison.Ordinal)).SelectMany(metric => metric.Points)
                .Select(sample => sample.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal("By", metrics.Single(metric => metric.Name == FalMetricNames.RunnerMemoryUsageBytes).Unit);
        Assert.All(metrics, metric => Assert.Equal(metric.Name == "fal_publisher_scrape_failures_total", metric.IsSum));
    }

    private static async Task<WebApplication> StartBackendAsync(ConcurrentQueue<byte[]> bodies)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication backend = builder.Build();
        backend.Run(async context =>
        {
            Assert.Equal("application/x-protobuf", context.Request.ContentType);
            Assert.Equal("/v1/metrics", context.Request.Path);
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            bodies.Enqueue(body.ToArray());
        });
        await backend.StartAsync();
        return backend;
    }

    /// <summary>
    /// What matters here of a metric in an <c>ExportMetricsServiceRequest</c>: the numbers are those of the fields in the OTLP
    /// specification.
    /// </summary>
    private sealed class OtlpMetric
    {
        public string Scope { get; private set; } = "";

        public string Name { get; private set; } = "";

        public string Unit { get; private set; } = "";

        public bool IsSum { get; private set; }

        public List<PrometheusSample> Points { get; } = [];

        public static List<OtlpMetric> Parse(byte[] request)
        {
            var metrics = new List<OtlpMetric>();
            Each(request, (requestField, resourceMetrics) => Each(resourceMetrics, (field, scopeMetrics) =>
            {
                if (field != 2)
                {
                    return;
                }

                string scope = "";
                Each(scopeMetrics, (part, content) =>
                {
                    if (part == 1)
                    {
                        Each(content, (scopeField, value) => scope = scopeField == 1 ? value.ToStringUtf8() : scope);
                    }
                    else if (part == 2)
                    {
                        metrics.Add(ParseMetric(content, scope));
                    }
                });
            }));
            return metrics;
        }

        private static OtlpMetric ParseMetric(ByteString message, string scope)
        {
            var metric = new OtlpMetric { Scope = scope };
            Each(message, (field, content) =>
            {
                switch (field)
                {
                    case 1:
                        metric.Name = content.ToStringUtf8();
                        break;
                    case 3:
                        metric.Unit = content.ToStringUtf8();
                        break;
                    case 5 or 7:
                        metric.IsSum = field == 7;
                        Each(content, (part, point) =>
                        {
                            if (part == 1)
                            {
                                metric.Points.Add(ParsePoint(point, metric.Name));
                            }
                        });
                        break;
                    default:
                        break;
                }
            });
            return metric;
        }

        private static PrometheusSample ParsePoint(ByteString message, string name)
        {
            double value = double.NaN;
            var labels = new List<KeyValuePair<string, string>>();
            Each(
                message,
                (field, content) =>
                {
                    if (field == 7)
                    {
                        string key = "";
                        string text = "";
                        Each(content, (part, attribute) =>
                        {
                            if (part == 1)
                            {
                                key = attribute.ToStringUtf8();
                            }
                            else
                            {
                                Each(attribute, (_, anyValue) => text = anyValue.ToStringUtf8());
                            }
                        });
                        labels.Add(KeyValuePair.Create(key, text));
                    }
                },
                (field, number) => value = field == 4 ? number : value);
            return new PrometheusSample(name, LabelSet.Create(labels), value);
        }

        /// <summary>The fields of a message: those with a length, and the doubles.</summary>
        private static void Each(ByteString message, Action<int, ByteString> withLength, Action<int, double>? doubles = null)
        {
            CodedInputStream input = message.CreateCodedInput();
            while (input.ReadTag() is not 0 and uint tag)
            {
                int field = WireFormat.GetTagFieldNumber(tag);
                switch (WireFormat.GetTagWireType(tag))
                {
                    case WireFormat.WireType.LengthDelimited:
                        withLength(field, input.ReadBytes());
                        break;
                    case WireFormat.WireType.Fixed64 when doubles is not null:
                        doubles(field, input.ReadDouble());
                        break;
                    default:
                        input.SkipLastField();
                        break;
                }
            }
        }

        private static void Each(byte[] message, Action<int, ByteString> withLength) => Each(ByteString.CopyFrom(message), withLength);
    }
}
