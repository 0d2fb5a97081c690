using Fal.Observability.Client;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Options;

namespace Fal.Observability.Cli;

/// <summary>The account that the data come from: the one of the key in the environment, or a simulated one.</summary>
internal sealed class Account : IAsyncDisposable
{
    private readonly FalSimulator? _simulator;
    private readonly FalObservabilityClient _client;

    private Account(FalSimulator? simulator, FalObservabilityClient client)
    {
        _simulator = simulator;
        _client = client;
    }

    /// <summary>The client of the account.</summary>
    public IFalObservabilityClient Client => _client;

    /// <summary>Whether the account is simulated.</summary>
    public bool IsSimulated => _simulator is not null;

    /// <summary>
    /// Whether a key or another service than fal's is named, so that the data are not simulated. A variable that is empty names a key that
    /// is missing: a job whose secret was not passed on must fail.
    /// </summary>
    private static bool IsReal(Uri? baseAddress) =>
        baseAddress is not null || KeyVariables.All.Any(name => Environment.GetEnvironmentVariable(name) is not null);

    /// <summary>Opens the account, and says so where it is simulated.</summary>
    /// <param name="baseAddress">Another service than fal's; null: fal's.</param>
    /// <param name="cancellationToken">Gives up opening.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The key or the address cannot be used.</exception>
    public static async Task<Account> OpenAsync(Uri? baseAddress, CancellationToken cancellationToken)
    {
        FalSimulator? simulator = IsReal(baseAddress)
            ? null
            : await FalSimulator.StartAsync(options => options.Seed = 1, cancellationToken);
        try
        {
            var client = new FalObservabilityClient(options =>
            {
                options.BaseAddress = simulator?.BaseAddress ?? baseAddress ?? options.BaseAddress;
                options.ApiKey = simulator?.Key;
                options.UserAgentSuffix = "fal-obs";
            });
            if (simulator is not null)
            {
                await Console.Error.WriteLineAsync(
                    "SIMULATED DATA: no key is set in FAL_KEY or FAL_KEY_FILE, so every figure comes from the built-in simulator.");
            }

            return new Account(simulator, client);
        }
        catch (OptionsValidationException e) when (simulator is null)
        {
            throw new OptionsValidationException(e.OptionsName, e.OptionsType, e.Failures.Select(ForCommandLine));
        }
        catch when (simulator is not null)
        {
            await simulator.DisposeAsync();
            throw;
        }
    }

    /// <summary>What is wrong with a setting, with the places where a user of the tool sets the key.</summary>
    private static string ForCommandLine(string failure)
    {
        const string Key = nameof(FalObservabilityOptions.ApiKey) + " ";
        int advice = failure.IndexOf(" Set ", StringComparison.Ordinal);
        if (!failure.StartsWith(Key, StringComparison.Ordinal) || advice < 0)
        {
            return failure;
        }

        string? empty = KeyVariables.All.FirstOrDefault(name => Environment.GetEnvironmentVariable(name) is "");
        string problem = empty is null ? $"The key {failure[Key.Length..advice]}" : $"{empty} is set, but it is empty.";
        return $"{problem} Set FAL_KEY, or both FAL_KEY_ID and FAL_KEY_SECRET, or set FAL_KEY_FILE to the path of a file that " +
            "contains the key.";
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_simulator is not null)
        {
            await _simulator.DisposeAsync();
        }
    }
}
