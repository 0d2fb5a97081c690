namespace Fal.Observability.Client;

/// <summary>What a report or stream does about endpoints that the service refuses.</summary>
/// <remarks>If a call names one endpoint that is not the account's, the service refuses the whole call.</remarks>
public enum RefusedEndpointPolicy
{
    /// <summary>The first refused call ends the report or stream with its exception.</summary>
    Throw,

    /// <summary>
    /// The client finds the refused endpoints by calling with parts of the list. It reports them by id, skips them, and returns the data of
    /// the others. A key without the permission still causes a <see cref="FalForbiddenException"/>, after at most 8 calls: the refused one,
    /// and seven with one endpoint each, if possible from different calls and owners. If nearly all endpoints are refused, all seven can be
    /// refused ones. The call then throws the same exception, and its message mentions this possibility.
    /// </summary>
    Skip,
}
