namespace Fal.Observability.Client;

/// <summary>Who refused a call with 403.</summary>
public enum FalForbiddenReason
{
    /// <summary>
    /// The service: the key lacks a permission for this call, or an endpoint in it is not owned by the key's account. One endpoint that is
    /// not owned makes the whole analytics call fail.
    /// </summary>
    PermissionOrOwnership = 0,

    /// <summary>
    /// The edge in front of the service: it answered with an HTML page, usually a browser challenge. It says nothing about the key or the
    /// endpoints. It refused the network, proxy or address that the call came from.
    /// </summary>
    EdgeChallenge = 1,
}
