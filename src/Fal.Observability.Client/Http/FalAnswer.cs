namespace Fal.Observability.Client;

/// <summary>The origin of a successful answer: the request id that fal's support asks for, and the age of the data.</summary>
public sealed record FalAnswer
{
    /// <summary>
    /// The request id that fal's support asks for: that of the service, otherwise that of the network edge in front of it. Null if neither
    /// sent one.
    /// </summary>
    public string? RequestId { get; init; }

    /// <summary>When the answer arrived, by the client's clock. Null on an answer that no client has fetched.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>
    /// The instant up to which the data is complete, as the service states it (<c>as_of</c>). Usually null, because the service rarely
    /// states it.
    /// </summary>
    public DateTimeOffset? AsOf { get; init; }
}

/// <summary>An object that was made from one answer and knows its origin.</summary>
internal interface IFalAnswered
{
    FalAnswer Answer { get; set; }
}
