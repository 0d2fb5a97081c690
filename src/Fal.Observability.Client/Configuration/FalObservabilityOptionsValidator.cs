using Microsoft.Extensions.Options;

namespace Fal.Observability.Client;

/// <summary>Reports every setting that is out of range, with its allowed values. No message contains the key.</summary>
internal sealed class FalObservabilityOptionsValidator : IValidateOptions<FalObservabilityOptions>
{
    public ValidateOptionsResult Validate(string? name, FalObservabilityOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.SectionFailures.Any())
        {
            // The other settings may be wrong only because of these.
            return ValidateOptionsResult.Fail(options.SectionFailures);
        }

        var failures = new List<string>();
        string section = FalObservabilityOptions.SectionOf(name);
        string keySetting = SettingOf(nameof(options.ApiKey));
        string fileSetting = SettingOf(nameof(options.ApiKeyFile));
        if (options.ApiKeyProvider is not null)
        {
            // The key itself is looked at when the callback gives it.
            if ((options.ApiKey ?? options.ApiKeyFile) is not null)
            {
                failures.Add(
                    $"{nameof(options.ApiKeyProvider)} is set together with {nameof(options.ApiKey)} or {nameof(options.ApiKeyFile)}. "
                    + $"Remove {keySetting} and {fileSetting}, or do not set {nameof(options.ApiKeyProvider)} in code.");
            }
        }
        else if (options.ApiKeyFileProblem is { } fileProblem)
        {
            failures.Add($"The key file '{options.ApiKeyFile}' {fileProblem} Put the key into it, or name another file in " +
                $"{fileSetting}{(string.IsNullOrEmpty(name) ? " or FAL_KEY_FILE" : "")}.");
        }
        else if (options.ApiKeyFile is not null && options.ApiKey is not null && !options.IsApiKeyOfFile)
        {
            failures.Add($"{nameof(options.ApiKey)} and {nameof(options.ApiKeyFile)} are both set. Remove {keySetting} or {fileSetting}.");
        }
        else if (FalApiKey.Problem(options.ApiKey) is { } keyProblem)
        {
            string place = options.HasConfiguration
                ? $"{keySetting} in the configuration ({keySetting.Replace(":", "__", StringComparison.Ordinal)} in the environment)"
                : $"{keySetting} in code";
            failures.Add($"{nameof(options.ApiKey)} {keyProblem} Set " + (string.IsNullOrEmpty(name)
                ? $"{place}{(options.HasConfiguration ? "" : " (new FalObservabilityClient(key) does so)")}, or the environment "
                    + $"variable FAL_KEY, or both FAL_KEY_ID and FAL_KEY_SECRET. Or set {fileSetting} or FAL_KEY_FILE to the path of a "
                    + "file that contains the key."
                : $"{place}, or set {fileSetting} to the path of a file that contains the key. FAL_KEY is not read for a named account."));
        }

        CheckAddress(options, failures);

        if (!string.IsNullOrEmpty(options.UserAgentSuffix) && !IsUserAgent(options.UserAgentSuffix))
        {
            failures.Add($"{nameof(options.UserAgentSuffix)} must consist of product tokens, such as my-service/1.4.");
        }

        FalObservabilityOptionTable.MaxAttempts.Check(options.MaxAttempts, failures);
        int failuresBefore = failures.Count;
        FalObservabilityOptionTable.TotalTimeout.Check(options.TotalTimeout, failures);
        if (failures.Count == failuresBefore || options.AttemptTimeout != options.TotalTimeout)
        {
            // An attempt's time-out that nobody set follows the total one, and would repeat its failure under a name that nobody wrote.
            FalObservabilityOptionTable.AttemptTimeout.Check(options.AttemptTimeout, failures);
        }

        FalObservabilityOptionTable.ReadIdleTimeout.Check(options.ReadIdleTimeout, failures);
        FalObservabilityOptionTable.MinRetryDelay.Check(options.MinRetryDelay, failures);
        FalObservabilityOptionTable.RetryBaseDelay.Check(options.RetryBaseDelay, failures);
        FalObservabilityOptionTable.MaxRetryDelay.Check(options.MaxRetryDelay, failures);
        FalObservabilityOptionTable.MaxResponseBytes.Check(options.MaxResponseBytes, failures);
        FalObservabilityOptionTable.MaxPages.Check(options.MaxPages, failures);
        FalObservabilityOptionTable.MaxConcurrentCalls.Check(options.MaxConcurrentCalls, failures);
        FalObservabilityOptionTable.BucketsPerWindow.Check(options.BucketsPerWindow, failures);
        FalObservabilityOptionTable.MaxBufferedRows.Check(options.MaxBufferedRows, failures);
        FalObservabilityOptionTable.ProvisionalAge.Check(options.ProvisionalAge, failures);
        FalObservabilityOptionTable.MaxRememberedBytes.Check(options.MaxRememberedBytes, failures);

        SettingRules.NotOver(
            nameof(options.AttemptTimeout),
            options.AttemptTimeout,
            nameof(options.TotalTimeout),
            options.TotalTimeout,
            failures
        );
        SettingRules.NotOver(
            nameof(options.MinRetryDelay),
            options.MinRetryDelay,
            nameof(options.MaxRetryDelay),
            options.MaxRetryDelay,
            failures
        );

        return SettingRules.Verdict("Account", name, failures);

        // Where there is no configuration, the name of a setting in it would send the reader to a file that nothing reads.
        string SettingOf(string option) => options.HasConfiguration ? $"{section}:{option}" : option;
    }

    private static void CheckAddress(FalObservabilityOptions options, List<string> failures)
    {
        const string Setting = nameof(options.BaseAddress);
        if (options.BaseAddress is not { } address)
        {
            failures.Add($"{Setting} must be set. The public service is {FalObservabilityOptions.DefaultBaseAddress}.");
            return;
        }

        if (!address.IsAbsoluteUri)
        {
            // Not shown: it may be a key that was put into the wrong setting.
            failures.Add($"{Setting} must be an absolute URI, such as {FalObservabilityOptions.DefaultBaseAddress}.");
            return;
        }

        if (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp)
        {
            failures.Add($"{Setting} must be an https URI, such as {FalObservabilityOptions.DefaultBaseAddress}.");
        }
        else if (address.Scheme == Uri.UriSchemeHttp && !address.IsLoopback && !options.AllowInsecureHttp)
        {
            failures.Add($"{Setting} is plain http to '{address.Host}'. The key would cross the network in clear text. Use https, or " +
                $"set {nameof(options.AllowInsecureHttp)} for a proxy that you trust.");
        }

        // The values are not shown: user info is a secret, and a query may hold one.
        if (address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
        {
            failures.Add($"{Setting} must not have user info, a query or a fragment. Only scheme, host, port and path are allowed.");
        }
    }

    private static bool IsUserAgent(string value)
    {
        using var probe = new HttpRequestMessage();
        return probe.Headers.UserAgent.TryParseAdd(value);
    }
}
