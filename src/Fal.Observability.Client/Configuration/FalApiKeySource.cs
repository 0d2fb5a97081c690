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
/// The options of a configuration that was reloaded since the last look, not validated; null if it was not reloaded. Throws what the code
/// that sets options throws.
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

    /// <summary>The setting that holds the key.</summary>
    private string Setting => $"{FalObservabilityOptions.SectionOf(account)}:{nameof(options.ApiKey)}";

    /// <summary>Looks up the key for the next call.</summary>
    /// <exception cref="FalTransportException">There is no key yet, because the provider failed. Transient.</exception>
    /// <exception cref="OptionsValidationException">There is no key yet, because the provider returned no usable one.</exception>
    public async ValueTask<string> GetAsync(CancellationToken cancellationToken)
    {
        KeyLook look = options.ApiKeyProvider is { } provider ? await AskAsync(provider, cancellationToken).ConfigureAwait(false)
            : options.ApiKeyFile is { } file ? ReadFile(file)
            : ReadConfiguration();
        string? problem = look.Problem;
        if (Interlocked.Exchange(ref _problem, problem) != problem && problem is not null && options.ApiKey is not null)
        {
            log.KeyUnusable(_account, Source, problem, look.Advice);
        }

        string? last = options.ApiKey;
        if (look.Key is { } key && key != last)
        {
            options.ApiKey = key;
            if (last is not null)
            {
                FalEchoedKey.Of(key).Follows(last);
                log.KeyChanged(_account, Source);
            }
        }

        return options.ApiKey ?? throw Missing(problem!, look.Failure);
    }

    private static async ValueTask<KeyLook> AskAsync(
        Func<CancellationToken, ValueTask<string>> provider, CancellationToken cancellationToken)
    {
        const string Advice = "Check the callback. It must return a key of the form <key_id>:<key_secret>";
        try
        {
            // A callback that ignores the token must not hold up the deadline, the caller's cancellation or the disposal.
            Task<string> asked = provider(cancellationToken).AsTask();
            if (!asked.IsCompleted)
            {
                // If nobody waits for it any more, its exception is nobody's.
                _ = asked.ContinueWith(
                    static abandoned => abandoned.Exception,
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
            }

            string? key = await asked.WaitAsync(cancellationToken).ConfigureAwait(false);
            return FalApiKey.Problem(key) is { } fault
                ? new KeyLook(null, $"returned no usable key: it {fault}", Advice)
                : new KeyLook(key);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return new KeyLook(null, $"failed with {e.GetType()}.", Advice, e);
        }
    }

    private static KeyLook ReadFile(string file)
    {
        string? key = FalKeyFile.Read(file, out string? problem);
        return new KeyLook(key, problem, "Put a new key there, where this process can read it");
    }

    /// <summary>Takes the key from reloaded configuration, and nothing else. The other settings need not be valid.</summary>
    private KeyLook ReadConfiguration()
    {
        try
        {
            return reloaded() switch
            {
                null => default,
                { ApiKeyProvider: not null } or { IsApiKeyOfFile: true } => new KeyLook(
                    null,
                    "no longer contains the key, but names another source of it.",
                    $"Restart the program to use the other source, or set {Setting} again"
                ),
                { ApiKey: var key } => FalApiKey.Problem(key) is { } fault
                    ? new KeyLook(null, $"contains no valid key: {nameof(options.ApiKey)} {fault}", $"Set {Setting} to a valid key")
                    : new KeyLook(key),
            };
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new KeyLook(
                null,
                $"cannot be applied, because code that sets options failed with {e.GetType()}.",
                "Correct that code, or restart the program"
            );
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

    /// <summary>The outcome of one look at the source of the key.</summary>
    /// <param name="Key">The key; null if there is no new one.</param>
    /// <param name="Problem">Why there is no usable key, as the end of a sentence; null if nothing is wrong.</param>
    /// <param name="Advice">What to do about the problem, without the full stop at its end.</param>
    /// <param name="Failure">What the source threw; null if it did not.</param>
    private readonly record struct KeyLook(string? Key, string? Problem = null, string Advice = "", Exception? Failure = null);
}
