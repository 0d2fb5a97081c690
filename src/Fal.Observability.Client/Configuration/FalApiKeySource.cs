using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Fal.Observability.Client;

/// <summary>
/// The options of one account, and its key as it is now. The key may come from <see cref="FalObservabilityOptions.ApiKeyProvider"/>, from a
/// file, or from configuration that is reloaded. It is looked up before each call. If no new key is available, the last valid one stays in
/// use.
/// </summary>
/// <param name="options">
/// The options that the account started with. Their <see cref="FalObservabilityOptions.ApiKey"/> is kept equal to the current key, and is
/// the only reference to it here.
/// </param>
/// <param name="reloaded">
/// The options of a configuration that was reloaded since the last look; null if it was not. Throws if they are not valid.
/// </param>
/// <param name="account">The name of the account; null for the default one.</param>
/// <param name="log">The log for a change of the key, and for a key that is not available.</param>
internal sealed class FalApiKeySource(
    FalObservabilityOptions options,
    Func<FalObservabilityOptions?> reloaded,
    string? account,
    ILogger log
)
{
    private readonly string _account = account ?? "(default)";
    private string? _problem;

    /// <summary>The options that the account started with. Reloaded configuration changes none of them but the key.</summary>
    public FalObservabilityOptions Options => options;

    /// <summary>Whether the key can change at run time. If so, it is worth looking for another one soon after a refusal.</summary>
    public bool IsRotated => options.ApiKeyProvider is not null || options.ApiKeyFile is not null;

    /// <summary>Where the key comes from, for the log.</summary>
    private string Source => options.ApiKeyProvider is not null ? nameof(options.ApiKeyProvider)
        : options.ApiKeyFile is not null ? $"the key file {options.ApiKeyFile}"
        : "the configuration";

    /// <summary>Looks up the key for the next call.</summary>
    /// <exception cref="FalTransportException">There is no key yet, because the provider failed. Transient.</exception>
    /// <exception cref="OptionsValidationException">There is no key yet, because the provider returned no usable one.</exception>
    public async ValueTask<string> GetAsync(CancellationToken cancellationToken)
    {
        string? key;
        string? problem;
        Exception? failure = null;
        if (options.ApiKeyProvider is { } provider)
        {
            (key, problem, failure) = await AskAsync(provider, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            key = options.ApiKeyFile is not null ? FalKeyFile.Read(options.ApiKeyFile, out problem) : ReadConfiguration(out problem);
        }

        if (Interlocked.Exchange(ref _problem, problem) != problem && problem is not null && options.ApiKey is not null)
        {
            log.KeyUnusable(_account, Source, problem);
        }

        string? last = options.ApiKey;
        if (key is not null && key != last)
        {
            options.ApiKey = key;
            if (last is not null)
            {
                FalEchoedKey.Of(key).Follows(last);
                log.KeyChanged(_account, Source);
            }
        }

        return options.ApiKey ?? throw Missing(problem!, failure);
    }

    private static async ValueTask<(string? Key, string? Problem, Exception? Failure)> AskAsync(
        Func<CancellationToken, ValueTask<string>> provider, CancellationToken cancellationToken)
    {
        try
        {
            // A callback that ignores the token must not hold up the deadline, the caller's cancellation or the disposal.
            string? key = await provider(cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            return FalApiKey.Problem(key) is { } fault ? (null, $"returned no usable key: it {fault}", null) : (key, null, null);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return (null, $"failed with {e.GetType()}.", e);
        }
    }

    private string? ReadConfiguration(out string? problem)
    {
        problem = null;
        try
        {
            // Another source of the key takes a restart.
            return reloaded() is { ApiKeyFile: null, ApiKeyProvider: null } current ? current.ApiKey : null;
        }
        catch (OptionsValidationException e)
        {
            problem = $"is no longer valid: {e.Message}";
            return null;
        }
    }

    private Exception Missing(string problem, Exception? failure)
    {
        string message = $"Account {_account}: {nameof(options.ApiKeyProvider)} {problem}";
        return failure is null
            ? new OptionsValidationException(
                account ?? Microsoft.Extensions.Options.Options.DefaultName,
                typeof(FalObservabilityOptions),
                [message]
            )
            : new FalTransportException($"{message} The client sent no request, because it has no key " +
                $"yet.", failure)
            { IsTransient = true };
    }
}
