namespace Fal.Observability.Client;

/// <summary>Names of environments. The set is open: an account can define others.</summary>
public static class FalEnvironments
{
    /// <summary>The default environment: apps are deployed to it and listed from it if none is named.</summary>
    public const string Main = "main";
}
