using System.Globalization;
using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// Writes a <see cref="FalAppQuery"/> into the query string of a generated Refit request, in the order of the service's documentation.
/// </summary>
internal sealed class FalAppQueryConverter : IQueryConverter<FalAppQuery>
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The query names more than one environment, which takes more than one call.</exception>
    public void Flatten(FalAppQuery value, string keyPrefix, ref GeneratedQueryStringBuilder builder, RefitSettings settings)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Environments.Count > 1)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"The query names {value.Environments.Count} environments, but the service accepts only one per call. Make one call for " +
                    $"each, or use IFalAppsClient.ListAsync, which does so."));
        }

        // A null value omits its parameter.
        builder.Add(keyPrefix + "environment", value.Environments.Count == 0 ? null : value.Environments[0], preEncoded: false);
        builder.Add(keyPrefix + "search", value.Search, preEncoded: false);
        builder.Add(keyPrefix + "expand", value.WithEndpoints ? "endpoints" : null, preEncoded: false);
    }
}
