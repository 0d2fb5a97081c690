namespace Fal.Observability.Client;

/// <summary>What a report or stream does about endpoints that the service refuses.</summary>
/// <remarks>One endpoint that is not the account's makes the service refuse the whole call that names it.</remarks>
public enum RefusedEndpointPolicy
{
    /// <summary>The refusal is the result: the first refused call ends the report or stream with its exception.</summary>
    Throw,

    /// <summary>
    /// The refused endpoints are found by calls with parts of the list, reported by id, and left out; the data of the others comes.
    /// A key that lacks the permission altogether still ends in a <see cref="FalForbiddenException"/>, after at most 8 calls: the refused
    /// one, and seven with one endpoint each, from different calls and owners as far as there are. Where nearly all endpoints are refused,
    /// those seven can all be among them, and the same exception says so.
    /// </summary>
    Skip,
}
