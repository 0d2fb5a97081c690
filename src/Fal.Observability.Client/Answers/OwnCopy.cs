namespace Fal.Observability.Client;

/// <summary>The copy that an immutable object keeps of a list that it is given. Later changes of that list do not reach it.</summary>
internal static class OwnCopy
{
    /// <param name="value">The list. It has the name of an init accessor's parameter, because the exception names it.</param>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return [.. value];
    }
}
