using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Fal.Observability.Client.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>The published Alertmanager configuration with a real Prometheus before it and a receiver of messages behind it.</summary>
public sealed class AlertmanagerTests : IDisposable
{
    private readonly PrometheusFiles _files = new(MonitoredAccount.Key);

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task An_incident_reaches_the_channel_and_the_pager_with_its_numbers_and_its_runbook()
    {
        var options = new FalSimulatorOptions
        {
            Seed = 1,
            TimeProvider = new FakeTimeProvider(MonitoredAccount.Instant),
            Apps = 6,
            Key = MonitoredAccount.Key,
        };
        string app;
        await using (FalSimulator names = await FalSimulator.StartAsync(options))
        {
            app = names.Apps[0];
        }

        options.Incidents.Add(new SimulatedIncident(app) { Start = MonitoredAccount.Instant.AddMinutes(-10) });
        await using FalSimulator simulator = await FalSimulator.StartAsync(options);
        using FalObservabilityClient fal = MonitoredAccount.ClientOf(simulator);
        FalAppMetrics struck = (await fal.Metrics.GetSnapshotAsync())[app]!;
        double failed = struck.RequestsCompletedByStatus.Where(count => count.Status!.StartsWith('5')).Sum(count => count.Count);
        string percent = (100 * failed / struck.RequestsCompleted!.Value).ToString("G4", CultureInfo.InvariantCulture);

        var messages = new ConcurrentQueue<(string Path, JsonElement Body)>();
        await using WebApplication receiver = await StartReceiverAsync(messages);
        string folder = CopyConfiguration(receiver.Urls.First());
        Uri address = LeashedProcess.FreeAddress();
        using var http = new HttpClient();
        await using var alertmanager = new LeashedProcess(
            "prometheus-alertmanager",
            [
                $"--config.file={Path.Combine(folder, "alertmanager.yml")}", $"--storage.path={folder}",
                $"--web.listen-address={address.Authority}",
                "--cluster.listen-address=",
            ]);
        await alertmanager.WaitUntilReadyAsync(http, new Uri(address, "-/ready"));

        _files.AimDirectAt(simulator.BaseAddress);
        PrometheusFiles.Replace(_files.Alerting, "localhost:9093", address.Authority);
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(_files.WithAlerting(_files.Direct));

        JsonElement slack = default, alert = default;
        await prometheus.WaitUntilAsync(
            () =>
            {
                slack = messages
                    .FirstOrDefault(message =>
                        message.Path == "/slack"
                        && Attachment(message.Body, "text").StartsWith(app, StringComparison.Ordinal)
                        && Attachment(message.Body, "title").StartsWith("critical: FalErrorBudgetBurn", StringComparison.Ordinal)
                    )
                    .Body;
                alert = messages
                    .Where(message => message.Path == "/alerts")
                    .SelectMany(message => message.Body.GetProperty("alerts").EnumerateArray())
                    .FirstOrDefault(one =>
                        one.GetProperty("labels").GetProperty("alertname").GetString() == "FalErrorBudgetBurn"
                        && one.GetProperty("labels").GetProperty("application").GetString() == app
                    );
                return Task.FromResult(slack.ValueKind == JsonValueKind.Object && alert.ValueKind == JsonValueKind.Object);
            },
            "no message has come");

        string summary = $"{app}: {percent}% of the requests fail, which uses up a month's error budget in days";
        const string Runbook =
            "Look at the requests by status: 503 means no runner started, 502 a lost connection, 504 a timeout, 500 an exception in "
            + "the app. If it began with a deployment, roll back first and read the logs afterwards.";
        Assert.Equal("critical: FalErrorBudgetBurn (my-account)", Attachment(slack, "title"));
        Assert.Equal($"{summary}\nWhat to do: {Runbook}", Attachment(slack, "text"));
        Assert.Equal(summary, alert.GetProperty("annotations").GetProperty("summary").GetString());
        Assert.Equal(Runbook, alert.GetProperty("annotations").GetProperty("runbook").GetString());
    }

    private static string Attachment(JsonElement message, string field) =>
        message.GetProperty("attachments")[0].TryGetProperty(field, out JsonElement value) ? value.GetString()! : "";

    private static async Task<WebApplication> StartReceiverAsync(ConcurrentQueue<(string Path, JsonElement Body)> messages)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication receiver = builder.Build();
        receiver.Run(async context =>
        {
            using JsonDocument body = await JsonDocument.ParseAsync(context.Request.Body);
            messages.Enqueue((context.Request.Path, body.RootElement.Clone()));
            await context.Response.WriteAsync("ok");
        });
        await receiver.StartAsync();
        return receiver;
    }

    /// <summary>A copy of <c>observability/alertmanager</c> that sends to the receiver, and soon.</summary>
    private string CopyConfiguration(string receiver)
    {
        string folder = Directory.CreateDirectory(_files.PathOf("alertmanager")).FullName;
        Directory.CreateDirectory(Path.Combine(folder, "templates"));
        foreach (string file in new[] { "alertmanager.yml", Path.Combine("templates", "fal.tmpl") })
        {
            File.Copy(PrometheusFiles.Published("alertmanager", file), Path.Combine(folder, file));
        }

        string configuration = Path.Combine(folder, "alertmanager.yml");
        PrometheusFiles.Replace(configuration, "http://localhost:5001/alerts", $"{receiver}/alerts");
        PrometheusFiles.Replace(configuration, "group_wait: 30s", "group_wait: 1s");
        string address = Path.Combine(folder, "slack-url");
        File.WriteAllText(address, $"{receiver}/slack");
        string text = File.ReadAllText(configuration);
        Assert.Contains("/etc/prometheus/slack-url", text, StringComparison.Ordinal);
        File.WriteAllText(configuration, text.Replace("/etc/prometheus/slack-url", address, StringComparison.Ordinal));
        return folder;
    }
}
