namespace Fal.Observability.Client.Tests.Shared;

/// <summary>Makes of a test that would hang one that fails.</summary>
internal static class HangGuard
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Task OrHangs(this Task task) => task.WaitAsync(Patience);

    public static Task<T> OrHangs<T>(this Task<T> task) => task.WaitAsync(Patience);
}
