namespace Fal.Observability.Client;

/// <summary>The documented values of <see cref="FalApp.AuthMode"/>. The set is open.</summary>
public static class FalAuthModes
{
    /// <summary>Callers need a key of the owner's account.</summary>
    public const string Private = "private";

    /// <summary>Callers need no key.</summary>
    public const string Public = "public";

    /// <summary>Callers need a key of their own account, which pays for the call.</summary>
    public const string Shared = "shared";
}
