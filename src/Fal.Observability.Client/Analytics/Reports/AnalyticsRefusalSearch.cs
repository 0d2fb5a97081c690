namespace Fal.Observability.Client;

/// <summary>
/// If the service refuses a call with many endpoints, or fails on it, finds the endpoints that cause this. Needs few calls.
/// </summary>
/// <remarks>
/// <para>
/// A call is refused if it names at least one refused endpoint. The search halves a refused list and follows the refused half until it
/// finds one of them. If the first half is accepted, the other half must be refused, which saves a call. An endpoint counts as refused only
/// after a call that names it alone. The parts that were not examined return to the rest. The rest is then tried in pieces: whole while few
/// refused endpoints are known, and smaller the more are known.
/// </para>
/// <para>
/// For n of 50 endpoints, this takes fewer than 1 + n (2 ceil(log2(50 / n)) + 2) calls, including the call that was refused first and the
/// one that finally returns the data.
/// </para>
/// </remarks>
/// <param name="probe">Makes a call with these endpoints. Returns null if it is accepted, otherwise the refusal.</param>
/// <param name="maxProbes">How many calls may be made.</param>
internal sealed class AnalyticsRefusalSearch(Func<IReadOnlyList<string>, Task<FalApiException?>> probe, int maxProbes = int.MaxValue)
{
    private readonly Dictionary<string, FalApiException> _refused = new(StringComparer.Ordinal);
    private int _accepted;
    private int _probes;

    /// <summary>The endpoints found so far, each with the refusal that names it.</summary>
    public IReadOnlyDictionary<string, FalApiException> Refused => _refused;

    /// <summary>Tries endpoints one by one until one is accepted.</summary>
    /// <returns>The accepted endpoint; null if there is none.</returns>
    public async Task<string?> FindAcceptedAsync(IEnumerable<string> endpointIds)
    {
        foreach (string id in endpointIds)
        {
            if (await ProbeAsync([id]).ConfigureAwait(false) is not { } refusal)
            {
                _accepted++;
                return id;
            }

            _refused[id] = refusal;
        }

        return null;
    }

    /// <summary>Finds all that are refused.</summary>
    /// <param name="endpointIds">Endpoints that are not settled yet.</param>
    /// <param name="refusal">The refusal of a call because of one of them; null if none of them is known to be refused.</param>
    /// <param name="named">How many endpoints the call named that was refused last.</param>
    /// <returns>The endpoints for which no call was left.</returns>
    public async Task<IReadOnlyList<string>> FindRefusedAsync(IReadOnlyList<string> endpointIds, FalApiException? refusal, int named)
    {
        List<string> rest = refusal is null ? [.. endpointIds] : [];
        IReadOnlyList<string> suspects = refusal is null ? [] : endpointIds;
        while (suspects.Count > 0 || rest.Count > 0)
        {
            if (suspects.Count == 0)
            {
                if (_probes == maxProbes)
                {
                    return rest;
                }

                List<string> piece = rest[..PieceOf(rest.Count)];
                rest.RemoveRange(0, piece.Count);
                refusal = await ProbeAsync(piece).ConfigureAwait(false);
                if (refusal is null)
                {
                    _accepted += piece.Count;
                    continue;
                }

                (suspects, named) = (piece, piece.Count);
            }

            while (suspects.Count > 1)
            {
                if (_probes == maxProbes)
                {
                    return [.. suspects, .. rest];
                }

                int cut = LargestPowerOfTwoBelow(suspects.Count);
                IReadOnlyList<string> first = [.. suspects.Take(cut)];
                IReadOnlyList<string> second = [.. suspects.Skip(cut)];
                if (await ProbeAsync(first).ConfigureAwait(false) is { } narrower)
                {
                    refusal = narrower;
                    rest.InsertRange(0, second);
                    (suspects, named) = (first, first.Count);
                }
                else
                {
                    _accepted += first.Count;
                    suspects = second;
                }
            }

            if (named > 1)
            {
                // Only this endpoint is left, but the refusal may have been a passing fault. A call that names it alone decides.
                if (_probes == maxProbes)
                {
                    return [.. suspects, .. rest];
                }

                refusal = await ProbeAsync(suspects).ConfigureAwait(false);
            }

            if (refusal is null)
            {
                _accepted++;
            }
            else
            {
                _refused[suspects[0]] = refusal;
            }

            suspects = [];
        }

        return [];
    }

    private Task<FalApiException?> ProbeAsync(IReadOnlyList<string> endpointIds)
    {
        _probes++;
        return probe(endpointIds);
    }

    private int PieceOf(int count)
    {
        if (_refused.Count <= 2)
        {
            return count;
        }

        // One and a half times the number of endpoints per refused one so far, so that about half of the pieces are refused.
        int piece = 1;
        while (4 * piece * _refused.Count <= 3 * (_accepted + _refused.Count))
        {
            piece *= 2;
        }

        return Math.Min(piece, count);
    }

    private static int LargestPowerOfTwoBelow(int count)
    {
        int power = 1;
        while (power * 2 < count)
        {
            power *= 2;
        }

        return power;
    }
}
