using System.Globalization;

namespace Fal.Observability.Client.Testing;

/// <summary>The routes about the account's apps: the list of them, and the history of the runners of one.</summary>
internal sealed class AppsEndpoint(TrafficModel model, FalSimulatorOptions options)
{
    private static readonly TimeSpan LongestHistory = TimeSpan.FromDays(90);

    /// <summary>The list of apps.</summary>
    /// <param name="query">The query string as it arrived.</param>
    /// <exception cref="RefusedCallException">The call is answered with an error.</exception>
    public Answer List(string query)
    {
        var parameters = new QueryParameters(query);
        string environment = parameters.Single("environment") ?? AppSettings.MainEnvironment;
        string search = parameters.Single("search") ?? "";
        bool withEndpoints = false;
        foreach (string value in parameters.List("expand"))
        {
            withEndpoints = value == "endpoints"
                ? true
                : throw RefusedCallException.Invalid($"expand has the unknown value '{value}': it can be 'endpoints'.");
        }

        IEnumerable<IAccountApp> apps = model.Apps.Where(app =>
            app.Settings.Environment == environment && app.Settings.Name.Contains(search, StringComparison.OrdinalIgnoreCase));
        return new Answer(200, Answer.Json, AnswerEnvelope.ToUtf8(json =>
        {
            json.WriteStartArray("apps");
            foreach (IAccountApp app in apps)
            {
                AppSettings settings = app.Settings;
                json.WriteStartObject();
                json.WriteString("endpoint_id", app.Name);
                json.WriteString("name", settings.Name);
                json.WriteString("owner", settings.Owner);
                json.WriteString("environment", settings.Environment);
                json.WriteString("machine_type", AppSettings.MachineName(settings.MachineType));
                json.WriteString("auth_mode", settings.AuthMode);
                json.WriteNumber("keep_alive", settings.KeepAlive);
                json.WriteNumber("min_concurrency", settings.MinConcurrency);
                json.WriteNumber("max_concurrency", settings.MaxConcurrency);
                json.WriteNumber("request_timeout", 600);
                json.WriteNumber("startup_timeout", 300);
                json.WriteStartArray("valid_regions");
                foreach (string region in settings.ValidRegions)
                {
                    json.WriteStringValue(region);
                }

                json.WriteEndArray();
                json.WriteString("updated_at", Instant(settings.UpdatedAt, "yyyy-MM-dd'T'HH:mm:ss'Z'"));
                if (withEndpoints)
                {
                    json.WriteStartArray("endpoints");
                    foreach (IAccountEndpoint endpoint in app.Endpoints)
                    {
                        json.WriteStringValue(endpoint.Id);
                    }

                    json.WriteEndArray();
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        }));
    }

    /// <summary>The runner history of an app.</summary>
    /// <param name="owner">The owner as the path names it, without its escapes.</param>
    /// <param name="name">The name as the path names it, without its escapes.</param>
    /// <param name="query">The query string as it arrived.</param>
    /// <exception cref="RefusedCallException">The call is answered with an error.</exception>
    public Answer History(string owner, string name, string query)
    {
        string id = $"{owner}/{name}";
        if (options.Faults.RefusalOf(id) is { } refused)
        {
            throw refused;
        }

        IAccountApp app = model.Apps.FirstOrDefault(app => app.Name == id)
            ?? throw new RefusedCallException(404, "not_found", "Application not found");
        var parameters = new QueryParameters(query);
        // The route knows no zone, and buckets are whole.
        RequestedTime time = parameters.Time(options.TimeProvider.GetUtcNow()) with { Zone = TimeZoneInfo.Utc, Bound = true };
        if (time.End - time.Start > LongestHistory)
        {
            throw RefusedCallException.Invalid("The range is longer than 90 days, which is how far the history reaches back.");
        }

        time.RefuseTooManyBuckets();
        string aggregation = parameters.Single("aggregation") ?? "max";
        if (aggregation is not ("max" or "avg"))
        {
            throw RefusedCallException.Invalid($"aggregation is '{aggregation}': it must be 'max' or 'avg'.");
        }

        int visibleEnd = options.VisibleEnd();
        return new Answer(200, Answer.Json, AnswerEnvelope.ToUtf8(json =>
        {
            json.WriteString("endpoint_id", id);
            json.WriteString("timeframe", QueryParameters.NameOf(time.ResolvedTimeframe));
            json.WriteString("aggregation", aggregation);
            json.WriteStartArray("history");
            foreach (TimeBucket bucket in time.Buckets())
            {
                RunnerMinute[] minutes = [.. Enumerable.Range(bucket.First, Math.Max(0, Math.Min(bucket.End, visibleEnd) - bucket.First))
                    .Select(app.RunnersAt)];
                json.WriteStartObject();
                json.WriteString("timestamp", Instant(bucket.Label, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
                json.WriteNumber("running", Aggregate(minutes, minute => minute.Busy));
                json.WriteNumber("idle", Aggregate(minutes, minute => minute.Idle));
                json.WriteNumber("pending", Aggregate(minutes, minute => minute.Pending));
                json.WriteNumber("draining", Aggregate(minutes, minute => minute.Draining));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }));

        double Aggregate(RunnerMinute[] minutes, Func<RunnerMinute, double> state) => minutes.Length == 0 ? 0
            : aggregation == "max" ? minutes.Max(minute => state(minute.AtItsBusiest)) : minutes.Average(state);
    }

    private static string Instant(DateTimeOffset instant, string format) =>
        instant.UtcDateTime.ToString(format, CultureInfo.InvariantCulture);
}
