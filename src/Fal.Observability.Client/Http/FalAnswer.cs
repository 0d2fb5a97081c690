namespace Fal.Observability.Client;

/// <summary>Where a successful answer came from: what fal's support asks for, and how old the data is.</summary>
public sealed record FalAnswer
{
    /// <summary>
    /// The id of the request, for fal's support: that of the service, else that of the network edge in front of it. Null where neither
    /// named one.
    /// </summary>
    public string? RequestId { get; init; }

    /// <summary>When the answer had arrived, by the client's clock. Null on an answer that no client has fetched.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>
    /// The instant up to which the data is complete, by the service (<c>as_of</c>). Null where the service does not say, which is the rule.
    /// </summary>
    public DateTimeOffset? AsOf { get; init; }
}

/// <summary>An object that was made of one answer and tells where it came from.</summary>
internal interface IFalAnswered
{
    FalAnswer Answer { get; set; }
}
