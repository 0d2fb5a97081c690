using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Tools;

/// <summary>The labels of a series as they were sent, and under classic names.</summary>
/// <param name="Sent">As they were sent.</param>
/// <param name="Labels">Under classic names, each once. Of labels that become one name, the first that has a value stays.</param>
/// <param name="LeftOut">The names of the labels that were left out, because an earlier one has the same classic name.</param>
/// <param name="MayCollide">Whether a series with other labels may have become the same: a name changed, or a value is empty.</param>
/// <param name="Identity">
/// A hash of the classic labels, in any order. Labels of one hash are almost surely the same.
/// </param>
internal readonly record struct ClassicLabels(
    LabelSet Sent,
    LabelSet Labels,
    IReadOnlyList<string> LeftOut,
    bool MayCollide,
    ulong Identity
)
{
    /// <summary>The label that holds the metric's name, in the model of Prometheus and in remote write.</summary>
    public const string MetricName = "__name__";

    private const string AccountLabel = "account";
    private const string ExportedPrefix = "exported_";

    /// <summary>Gives labels their classic names.</summary>
    public static ClassicLabels Of(LabelSet sent) =>
        Of(sent, sent.Select(label => KeyValuePair.Create(ClassicName.OfLabel(label.Key), label.Value)));

    /// <summary>
    /// Gives labels their classic names, and adds the account's. A label <c>account</c> of the service's own becomes
    /// <c>exported_account</c>, as in Prometheus, or a longer name that is free.
    /// </summary>
    public static ClassicLabels Of(LabelSet sent, string account)
    {
        if (!sent.Any(label => label.Key == AccountLabel || label.Value.Length == 0 || !ClassicName.IsLabel(label.Key)))
        {
            return new ClassicLabels(sent, sent.With(AccountLabel, account), LeftOut: [], MayCollide: false, IdentityOf(sent));
        }

        string exported = ExportedPrefix + AccountLabel;
        while (sent.Any(label => ClassicName.OfLabel(label.Key) == exported))
        {
            exported = ExportedPrefix + exported;
        }

        ClassicLabels classic = Of(sent, sent.Select(label =>
            KeyValuePair.Create(label.Key == AccountLabel ? exported : ClassicName.OfLabel(label.Key), label.Value)));
        return classic with { Labels = classic.Labels.With(AccountLabel, account) };
    }

    /// <summary>A hash of a text.</summary>
    public static ulong IdentityOf(string text, long seed = 0) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text.AsSpan()), seed);

    /// <summary>A text that UTF-8 can carry: each unpaired surrogate becomes U+FFFD.</summary>
    public static string WellFormed(string value) =>
        value.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(value)) : value;

    private static ClassicLabels Of(LabelSet sent, IEnumerable<KeyValuePair<string, string>> renamed)
    {
        var labels = new OrderedDictionary<string, string>(sent.Count, StringComparer.Ordinal);
        List<string> leftOut = [];
        foreach (((string name, string value), (string sentName, _)) in renamed.Zip(sent))
        {
            // To Prometheus a label without a value is none, so it cannot stand in another's way.
            if (name == MetricName || (!labels.TryAdd(name, value) && value.Length > 0 && labels[name].Length > 0))
            {
                leftOut.Add(sentName);
            }
            else if (value.Length > 0)
            {
                labels[name] = value;
            }
        }

        bool isChanged = !labels.Keys.SequenceEqual(sent.Select(label => label.Key));
        LabelSet classic = isChanged ? LabelSet.Create(labels) : sent;
        return new ClassicLabels(sent, classic, leftOut, isChanged || labels.Values.Any(value => value.Length == 0), IdentityOf(classic));
    }

    private static ulong IdentityOf(LabelSet labels)
    {
        ulong identity = 0;
        foreach ((string name, string value) in labels)
        {
            identity += IdentityOf(value, seed: (long)IdentityOf(name));
        }

        return identity;
    }
}
