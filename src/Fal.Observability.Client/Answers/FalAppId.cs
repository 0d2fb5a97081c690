namespace Fal.Observability.Client;

/// <summary>The parts of an app's id, <c>owner/name</c>, and of the ids of its routes, <c>owner/name/route</c>.</summary>
internal static class FalAppId
{
    /// <summary>Splits an app's id into its parts.</summary>
    /// <exception cref="ArgumentException">The text is not <c>owner/name</c>.</exception>
    public static (string Owner, string Name) Split(string endpointId, string parameterName)
    {
        ArgumentNullException.ThrowIfNull(endpointId, parameterName);
        WireToken.ThrowIfInvalid(endpointId, "app id", parameterName, "Pass the app's id as owner/name, such as \"my-org/my-app\".");
        string[] parts = endpointId.Split('/');
        if (parts.Length > 2 && Array.TrueForAll(parts, part => part.Length > 0))
        {
            throw new ArgumentException(
                $"\"{endpointId}\" is the id of a route, but runners belong to the whole app. Pass the app's id, " +
                    $"\"{parts[0]}/{parts[1]}\".", parameterName);
        }

        // "." and ".." would be resolved as relative path segments.
        if (parts.Length != 2 || Array.Exists(parts, part => part is "" or "." or ".."))
        {
            throw new ArgumentException(
                $"\"{endpointId}\" is not the id of an app. Pass owner and name with one slash between them, such as \"my-org/my-app\".",
                parameterName);
        }

        return (parts[0], parts[1]);
    }

    /// <summary>The id of the app that a route belongs to: its first two parts. An id without two parts is returned as it is.</summary>
    public static string AppOf(string endpointId)
    {
        int first = endpointId.IndexOf('/', StringComparison.Ordinal);
        int second = first < 0 ? -1 : endpointId.IndexOf('/', first + 1);
        return second < 0 ? endpointId : endpointId[..second];
    }

    /// <summary>One part of an id; empty if the id has fewer parts.</summary>
    public static string PartOf(string endpointId, int index) => endpointId.Split('/').ElementAtOrDefault(index) ?? "";
}
