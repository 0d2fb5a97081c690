using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>An app of the key's account, and how it is configured.</summary>
/// <remarks>
/// An app is immutable and safe to share between threads. It can be made in a test with an object initializer. Everything but
/// <see cref="EndpointId"/> can be missing in an answer; a value that is not of its kind reads as missing.
/// </remarks>
public sealed class FalApp
{
    /// <summary>
    /// The id, <c>owner/name</c>: what analytics and runner history ask for. It covers the app's routes, whose ids are this one and a
    /// path (<c>owner/name/route</c>).
    /// </summary>
    [JsonPropertyName("endpoint_id")]
    [JsonConverter(typeof(FalIdJsonConverter))]
    public required string EndpointId
    {
        get;
        init
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value);
            field = value;
        }
    }

    /// <summary>The name, without the owner. If the service leaves it out: the second part of <see cref="EndpointId"/>.</summary>
    [JsonPropertyName("name")]
    [JsonConverter(typeof(FalTextJsonConverter))]
    [AllowNull]
    public string Name
    {
        get => field ?? FalAppId.PartOf(EndpointId, 1);
        init;
    }

    /// <summary>The nickname of the owner. If the service leaves it out: the first part of <see cref="EndpointId"/>.</summary>
    [JsonPropertyName("owner")]
    [JsonConverter(typeof(FalTextJsonConverter))]
    [AllowNull]
    public string Owner
    {
        get => field ?? FalAppId.PartOf(EndpointId, 0);
        init;
    }

    /// <summary>The environment that the app is deployed in, such as <see cref="FalEnvironments.Main"/>; null if it is not known.</summary>
    [JsonPropertyName("environment")]
    [JsonConverter(typeof(FalTextJsonConverter))]
    public string? Environment { get; init; }

    /// <summary>
    /// The machine type that the app runs on, such as <c>GPU-H100</c>; null if it is not known. The live metrics use other names for
    /// the same machines, such as <c>NVIDIA H100 80GB HBM3</c>.
    /// </summary>
    [JsonPropertyName("machine_type")]
    [JsonConverter(typeof(FalTextJsonConverter))]
    public string? MachineType { get; init; }

    /// <summary>Who can call the app: see <see cref="FalAuthModes"/>; null if it is not known.</summary>
    [JsonPropertyName("auth_mode")]
    [JsonConverter(typeof(FalTextJsonConverter))]
    public string? AuthMode { get; init; }

    /// <summary>How long a runner stays up after its last request; null if it is not known.</summary>
    [JsonPropertyName("keep_alive")]
    [JsonConverter(typeof(FalSecondsJsonConverter))]
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>How many runners are kept up without requests; null if it is not known.</summary>
    [JsonPropertyName("min_concurrency")]
    [JsonConverter(typeof(FalWholeNumberJsonConverter))]
    public int? MinConcurrency { get; init; }

    /// <summary>How many runners there can be at a time; null if it is not known.</summary>
    [JsonPropertyName("max_concurrency")]
    [JsonConverter(typeof(FalWholeNumberJsonConverter))]
    public int? MaxConcurrency { get; init; }

    /// <summary>How long a request can take; null if it is not known.</summary>
    [JsonPropertyName("request_timeout")]
    [JsonConverter(typeof(FalSecondsJsonConverter))]
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary>How long a runner can take to start; null if it is not known.</summary>
    [JsonPropertyName("startup_timeout")]
    [JsonConverter(typeof(FalSecondsJsonConverter))]
    public TimeSpan? StartupTimeout { get; init; }

    /// <summary>The regions that the app can run in, such as <c>us</c>. Empty if they are not known.</summary>
    [JsonPropertyName("valid_regions")]
    [JsonConverter(typeof(FalTextListJsonConverter))]
    [AllowNull]
    public IReadOnlyList<string> ValidRegions
    {
        get;
        init => field = value is null ? [] : [.. value];
    } = [];

    /// <summary>When the app was updated last; null if it is not known.</summary>
    [JsonPropertyName("updated_at")]
    [JsonConverter(typeof(FalOptionalInstantJsonConverter))]
    public DateTimeOffset? UpdatedAt { get; init; }

    /// <summary>
    /// The ids of the app's routes, under which its requests are recorded. Null unless <see cref="FalAppQuery.WithEndpoints"/> asked for
    /// them.
    /// </summary>
    [JsonPropertyName("endpoints")]
    [JsonConverter(typeof(FalTextListJsonConverter))]
    public IReadOnlyList<string>? Endpoints
    {
        get;
        init => field = value is null ? null : [.. value];
    }

    /// <summary>What the service says of the app that this version does not know, by its name on the wire.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, JsonElement> AdditionalMembers =>
        Additional is null ? ReadOnlyDictionary<string, JsonElement>.Empty : new ReadOnlyDictionary<string, JsonElement>(Additional);

    [JsonInclude]
    [JsonExtensionData]
    internal Dictionary<string, JsonElement>? Additional { get; set; }

    /// <summary>The id, environment and machine type, for a log line: <c>my-org/my-app (main, GPU-H100)</c>.</summary>
    public override string ToString() => $"{EndpointId} ({Environment ?? "environment unknown"}, {MachineType ?? "machine unknown"})";
}
