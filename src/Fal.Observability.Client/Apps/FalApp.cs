using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>An app of the key's account, and its configuration.</summary>
/// <remarks>
/// An app is immutable and safe to share between threads. A test can create it with an object initializer. Everything except
/// <see cref="EndpointId"/> can be missing in an answer. A value of the wrong type is read as missing.
/// </remarks>
[JsonConverter(typeof(FalJsonConverter<FalApp>))]
public sealed class FalApp : IFalJson<FalApp>
{
    /// <summary>
    /// The id, <c>owner/name</c>, which analytics and runner history use. It covers the app's routes, whose ids are this id and a path
    /// (<c>owner/name/route</c>).
    /// </summary>
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
    [AllowNull]
    public string Name
    {
        get => field ?? FalAppId.PartOf(EndpointId, 1);
        init;
    }

    /// <summary>The nickname of the owner. If the service leaves it out: the first part of <see cref="EndpointId"/>.</summary>
    [AllowNull]
    public string Owner
    {
        get => field ?? FalAppId.PartOf(EndpointId, 0);
        init;
    }

    /// <summary>The environment that the app is deployed in, such as <see cref="FalEnvironments.Main"/>; null if it is not known.</summary>
    public string? Environment { get; init; }

    /// <summary>
    /// The machine type that the app runs on, such as <c>GPU-H100</c>; null if it is not known. The live metrics use other names for
    /// the same machines, such as <c>NVIDIA H100 80GB HBM3</c>.
    /// </summary>
    public string? MachineType { get; init; }

    /// <summary>Who can call the app: see <see cref="FalAuthModes"/>; null if it is not known.</summary>
    public string? AuthMode { get; init; }

    /// <summary>How long a runner stays up after its last request; null if it is not known.</summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>How many runners are kept up without requests; null if it is not known.</summary>
    public int? MinConcurrency { get; init; }

    /// <summary>How many runners there can be at a time; null if it is not known.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>How long a request can take; null if it is not known.</summary>
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary>How long a runner can take to start; null if it is not known.</summary>
    public TimeSpan? StartupTimeout { get; init; }

    /// <summary>The regions that the app can run in, such as <c>us</c>. Empty if they are not known.</summary>
    [AllowNull]
    public IReadOnlyList<string> ValidRegions
    {
        get;
        init => field = value is null ? [] : [.. value];
    } = [];

    /// <summary>When the app was updated last; null if it is not known.</summary>
    public DateTimeOffset? UpdatedAt { get; init; }

    /// <summary>
    /// The ids of the app's routes, under which its requests are recorded. Null unless the query sets
    /// <see cref="FalAppQuery.WithEndpoints"/>.
    /// </summary>
    public IReadOnlyList<string>? Endpoints
    {
        get;
        init => field = value is null ? null : [.. value];
    }

    /// <summary>The fields of the app that this version does not know, by their names on the wire.</summary>
    public IReadOnlyDictionary<string, JsonElement> AdditionalMembers { get; private init; } =
        ReadOnlyDictionary<string, JsonElement>.Empty;

    static FalApp IFalJson<FalApp>.ReadJson(ref Utf8JsonReader reader)
    {
        var app = new AnswerObject(ref reader, "An app");
        return new FalApp
        {
            EndpointId = app.RequiredText("endpoint_id"),
            Name = app.TextIfAny("name"),
            Owner = app.TextIfAny("owner"),
            Environment = app.TextIfAny("environment"),
            MachineType = app.TextIfAny("machine_type"),
            AuthMode = app.TextIfAny("auth_mode"),
            KeepAlive = app.SecondsIfAny("keep_alive"),
            MinConcurrency = app.WholeNumberIfAny("min_concurrency"),
            MaxConcurrency = app.WholeNumberIfAny("max_concurrency"),
            RequestTimeout = app.SecondsIfAny("request_timeout"),
            StartupTimeout = app.SecondsIfAny("startup_timeout"),
            ValidRegions = app.TextsIfAny("valid_regions"),
            UpdatedAt = app.InstantIfAny("updated_at"),
            Endpoints = app.TextsIfAny("endpoints"),
            AdditionalMembers = app.Others,
        };
    }

    void IFalJson<FalApp>.WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("endpoint_id"u8, EndpointId);
        writer.WriteString("name"u8, Name);
        writer.WriteString("owner"u8, Owner);
        writer.WriteString("environment"u8, Environment);
        writer.WriteString("machine_type"u8, MachineType);
        writer.WriteString("auth_mode"u8, AuthMode);
        AnswerJson.Write(writer, "keep_alive", KeepAlive);
        AnswerJson.Write(writer, "min_concurrency", (double?)MinConcurrency);
        AnswerJson.Write(writer, "max_concurrency", (double?)MaxConcurrency);
        AnswerJson.Write(writer, "request_timeout", RequestTimeout);
        AnswerJson.Write(writer, "startup_timeout", StartupTimeout);
        AnswerJson.Write(writer, "valid_regions", ValidRegions);
        AnswerJson.Write(writer, "updated_at", UpdatedAt);
        AnswerJson.Write(writer, "endpoints", Endpoints);
        AnswerJson.WriteOthers(writer, AdditionalMembers);
        writer.WriteEndObject();
    }

    /// <summary>The id, environment and machine type, for a log line: <c>my-org/my-app (main, GPU-H100)</c>.</summary>
    public override string ToString() => $"{EndpointId} ({Environment ?? "environment unknown"}, {MachineType ?? "machine unknown"})";
}
