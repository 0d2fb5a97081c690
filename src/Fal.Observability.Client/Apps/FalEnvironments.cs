namespace Fal.Observability.Client;

/// <summary>Names of environments. The set is open: an account names its own.</summary>
public static class FalEnvironments
{
    /// <summary>The environment that an app is deployed to, and that apps are listed from, if none is named.</summary>
    public const string Main = "main";
}
