using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>One line that breaks the format, in a body that is otherwise sound.</summary>
public sealed class MalformedMetricsTests
{
    private const string OpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private const string Body =
        "# TYPE fal_app_queue_size gauge\nfal_app_queue_size{application=\"my-org/a\"} 1\nfal_app_queue_size{application=\"my-org/b\" " +
            "2\nfal_app_queue_size{application=\"my-org/c\"} 3\n";

    [Fact]
    public async Task Is_skipped_reported_and_logged_and_every_other_sample_is_kept()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain; version=0.0.4; charset=utf-8", Body));
        using var account = new FalAccount(server.BaseAddress);

        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal([("my-org/a", 1.0), ("my-org/c", 3.0)], snapshot.Apps.Select(app => (app.Name, app.QueueSize!.Value)));
        Assert.Equal(1, snapshot.SkippedLineCount);
        PrometheusSkippedLine skipped = Assert.Single(snapshot.SkippedLines);
        Assert.Equal(3, skipped.Line);
        Assert.Equal("fal_app_queue_size{application=\"my-org/b\" 2", skipped.Text);
        Assert.Contains(
            $"line 3, column {skipped.Column}: {skipped.Reason}",
            Assert.Single(account.Events(5)).Message,
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Fact]
    public async Task Shows_no_key_that_the_far_side_put_into_it()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", $"{Body}{FalAccount.Key} bad line\n"));
        using var account = new FalAccount(server.BaseAddress);

        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, snapshot.SkippedLineCount);
        Assert.Equal("[redacted] bad line", snapshot.SkippedLines[1].Text);
        Assert.Equal(2, snapshot.Apps.Count);
    }

    [Theory]
    [InlineData("# TYPE a gauge\nbroken\n")]
    [InlineData("# HELP a b\n# TYPE a gauge\n{\"error\":1}\n")]
    public async Task A_body_of_which_no_line_is_a_sample_is_no_idle_account_though_it_names_a_family(string body)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain; version=0.0.4", body));
        using var account = new FalAccount(server.BaseAddress);

        foreach (FalCall call in (FalCall[])[FalCall.Snapshot, FalCall.Families, FalCall.Samples])
        {
            FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

            Assert.Contains("none of its lines is a sample", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Is_logged_again_only_when_it_changes()
    {
        Func<RawExchange, Task> answer = RawServer.Answer(200, "text/plain", Body);
        await using var server = RawServer.Start(answer, answer, answer, RawServer.Answer(200, "text/plain", $"{Body}!\n"));
        using var account = new FalAccount(server.BaseAddress);

        for (int read = 0; read < 5; read++)
        {
            await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(["1 line(s)", "2 line(s)"], account.Events(5).Select(record => record.Message[..9]));
    }

    [Fact]
    public async Task Is_skipped_and_logged_once_in_a_stream_too()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", Body));
        using var account = new FalAccount(server.BaseAddress);
        List<double> values = [];

        await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(TestContext.Current.CancellationToken))
        {
            values.Add(sample.Value);
        }

        Assert.Equal([1, 3], values);
        Assert.Contains("1 line(s)", Assert.Single(account.Events(5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fails_the_call_at_its_place_where_the_user_is_strict()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", Body));
        using var account = new FalAccount(server.BaseAddress, options => options.StrictMetrics = true);
        foreach (FalCall call in new[] { FalCall.Snapshot, FalCall.Families, FalCall.Samples })
        {
            FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);
            PrometheusFormatException cause = Assert.IsType<PrometheusFormatException>(failure.InnerException);
            Assert.Equal(3, cause.Line);
            Assert.Contains("Line 3", failure.Message, StringComparison.Ordinal);
            Assert.Equal(1, failure.Attempts);
        }

        Assert.Equal(3, server.Heads.Count);
    }

    [Fact]
    public async Task A_line_that_is_read_all_the_same_is_no_fault_in_either_way_of_reading()
    {
        // Line ends of another system, and a byte order mark: reported, but nothing was left out.
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "\ufeffa 1\r\nb 2\r\n"));
        using var account = new FalAccount(server.BaseAddress);

        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, snapshot.Families.Count);
        Assert.Equal(0, snapshot.SkippedLineCount);
        List<string> names = [];
        await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(TestContext.Current.CancellationToken))
        {
            names.Add(sample.Name);
        }

        Assert.Equal(["a", "b"], names);
        Assert.Empty(account.Events(5));
    }

    [Fact]
    public async Task A_scrape_without_samples_is_empty_in_either_way_of_reading_however_its_lines_end()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "# nothing to report\r\n"));
        using var account = new FalAccount(server.BaseAddress);

        Assert.Empty((await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken)).Apps);
        await account.RunAsync(FalCall.Samples, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task OpenMetrics_that_lacks_its_end_is_logged_in_either_way_of_reading()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, OpenMetrics, "# TYPE a gauge\na{b=\"c\"} 1\n"));
        foreach (FalCall call in (FalCall[])[FalCall.Snapshot, FalCall.Samples])
        {
            using var account = new FalAccount(server.BaseAddress);

            await account.RunAsync(call, TestContext.Current.CancellationToken);

            Assert.Empty(account.Events(5));
            Assert.Contains("# EOF", Assert.Single(account.Events(10)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task OpenMetrics_that_was_cut_within_its_last_line_loses_that_line_and_says_so()
    {
        await using var server = RawServer.Start(
            RawServer.Answer(
                200,
                OpenMetrics,
                "# TYPE fal_app_queue_size gauge\nfal_app_queue_size{application=\"a/b\"} 7\nfal_app_queue_size{application=\"c/d\"} 1"
            )
        );
        using var account = new FalAccount(server.BaseAddress);

        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        using var other = new FalAccount(server.BaseAddress);
        List<double> streamed = [];
        await foreach (PrometheusSample sample in other.Metrics.StreamSamplesAsync(TestContext.Current.CancellationToken))
        {
            streamed.Add(sample.Value);
        }

        Assert.Equal([7], snapshot.Apps.Select(app => app.QueueSize!.Value));
        Assert.Equal([7], streamed);
        Assert.All(
            (FalAccount[])[account, other],
            read => Assert.Contains("line 3", Assert.Single(read.Events(5)).Message, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task OpenMetrics_that_ends_before_it_begins_is_no_account_without_apps()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, OpenMetrics, ""));
        using var account = new FalAccount(server.BaseAddress);
        foreach (FalCall call in new[] { FalCall.Snapshot, FalCall.Families, FalCall.Samples })
        {
            Assert.Contains("# EOF", (await account.FailureOfAsync<FalResponseException>(call)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("# TYPE a counter\na_total{b=\"c\"} -1\na_total{b=\"d\"} 2\na_total{b=\"d\"} 2\n# EOF\n", 3)]
    [InlineData("# TYPE a gauge\na 1 5\na 1 5\na 2 4\na 3\n# TYPE s summary\ns 1\n# EOF\n", 4)]
    [InlineData("# TYPE h histogram\nh_bucket 1\nh_bucket{le=\"1\"} 0.5\nh_sum 1 # {a=\"b\"} 1\n# TYPE i info\ni_info 2\n# EOF\n", 4)]
    public async Task A_snapshot_and_a_stream_of_OpenMetrics_have_the_same_samples_whatever_rule_is_broken(string body, int samples)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, OpenMetrics, body));
        using var account = new FalAccount(server.BaseAddress);

        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        List<PrometheusSample> streamed = [];
        await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(TestContext.Current.CancellationToken))
        {
            streamed.Add(sample);
        }

        Assert.Equal(samples, streamed.Count);
        Assert.Equal(streamed, snapshot.Families.SelectMany(family => family.Samples));
        Assert.Equal(0, snapshot.SkippedLineCount);
        Assert.Single(account.Events(10));
    }

    [Fact]
    public async Task The_first_line_that_was_left_out_is_the_one_that_the_log_names()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\r\nb 2\nc{ 3\n"));
        foreach (FalCall call in (FalCall[])[FalCall.Snapshot, FalCall.Samples])
        {
            using var account = new FalAccount(server.BaseAddress);

            await account.RunAsync(call, TestContext.Current.CancellationToken);

            string message = Assert.Single(account.Events(5)).Message;
            Assert.StartsWith("1 line(s)", message, StringComparison.Ordinal);
            Assert.Contains("line 3", message, StringComparison.Ordinal);
        }
    }
}
