namespace Fal.Observability.Client;

/// <summary>The copy that an immutable object keeps of a list that it is given. Later changes of that list do not reach it.</summary>
internal static class OwnCopy
{
    /// <param name="value">The list. The exception names it as the parameter of the init accessor, which is called <c>value</c> too.</param>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return [.. value];
    }
}
