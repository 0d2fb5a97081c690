namespace Fal.Observability.Client;

/// <summary>Shorter forms of the calls of an <see cref="IFalAppsClient"/>.</summary>
public static class FalAppsClientExtensions
{
    /// <summary>
    /// Lists the apps that the account owns in its main environment, as <see cref="IFalAppsClient.ListAsync"/> does without a query. It
    /// throws the same exceptions.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="cancellationToken">Cancels the call, its retries and their waits.</param>
    /// <returns>The apps.</returns>
    public static Task<FalAppList> ListAsync(this IFalAppsClient client, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.ListAsync(null, cancellationToken);
    }
}
