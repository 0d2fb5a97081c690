namespace Fal.Observability.Tools;

/// <summary>The environment variables that name a key. If one of them is set, the data are real.</summary>
internal static class KeyVariables
{
    public static IReadOnlyList<string> All { get; } = ["FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET", "FAL_KEY_FILE"];
}
