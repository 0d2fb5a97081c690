using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class LabelSetTests
{
    [Fact]
    public void Labels_are_found_by_name()
    {
        LabelSet labels = [new("application", "my/app"), new("le", "+Inf")];

        Assert.Equal("my/app", labels["application"]);
        Assert.Null(labels["absent"]);
        Assert.True(labels.TryGetValue("le", out string? le));
        Assert.Equal("+Inf", le);
        Assert.False(labels.TryGetValue("absent", out _));
        Assert.Equal(2, labels.Count);
    }

    [Fact]
    public void Order_is_kept_and_does_not_count()
    {
        LabelSet one = [new("a", "1"), new("b", "2")];
        LabelSet other = LabelSet.Create(new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" });

        Assert.Equal(["a", "b"], one.Select(label => label.Key));
        Assert.Equal(["b", "a"], other.Select(label => label.Key));
        Assert.True(one == other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.True(one != [new("a", "1"), new("b", "3")]);
        Assert.True(one != [new("a", "1"), new("c", "2")]);
        Assert.True(one != [new("a", "1")]);
    }

    [Fact]
    public void The_empty_set_is_the_default_value()
    {
        LabelSet empty = [];

        Assert.Equal(default, empty);
        Assert.Equal(LabelSet.Empty, empty);
        Assert.Empty(empty);
        Assert.Equal("{}", empty.ToString());
        Assert.Null(default(LabelSet)["a"]);
    }

    [Fact]
    public void What_cannot_be_a_label_is_refused()
    {
        Assert.Throws<ArgumentException>(() => LabelSet.Create([new("", "1")]));
        Assert.Throws<ArgumentException>(() => LabelSet.Create([new("a", null!)]));
        Assert.Contains(
            "Duplicate label",
            Assert.Throws<ArgumentException>(() => LabelSet.Create([new("a", "1"), new("a", "2")])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Text_is_what_an_exposition_would_have()
    {
        LabelSet labels = [new("plain", "a\"b\\c\nd"), new("with.dot", "e")];

        Assert.Equal("""{plain="a\"b\\c\nd","with.dot"="e"}""", labels.ToString());
        Assert.Equal(labels, PrometheusTextParser.ParseSamples("x" + labels + " 1")[0].Labels);
    }

    [Fact]
    public void A_label_can_be_left_out()
    {
        LabelSet labels = [new("a", "1"), new("le", "2"), new("b", "3")];

        Assert.Equal([new("a", "1"), new("b", "3")], labels.Without("le"));
        Assert.Equal(labels, labels.Without("absent"));
        Assert.Equal(LabelSet.Empty, LabelSet.Create([new("le", "1")]).Without("le"));
    }

    [Fact]
    public void Many_labels_are_equal_in_any_order()
    {
        KeyValuePair<string, string>[] labels =
        [
            .. Enumerable.Range(0, 20_000).Select(i => new KeyValuePair<string, string>($"label_{i}", $"{i}")),
        ];
        LabelSet set = LabelSet.Create(labels);
        LabelSet turned = LabelSet.Create(Enumerable.Reverse(labels));
        labels[7_000] = new("label_7000", "another");

        Assert.Equal(set, turned);
        Assert.Equal(set.GetHashCode(), turned.GetHashCode());
        Assert.NotEqual(LabelSet.Create(labels), turned);
        labels[7_000] = new("label_7001", "7000");
        Assert.Throws<ArgumentException>(() => LabelSet.Create(labels));
    }

    [Fact]
    public void An_enumerator_without_a_current_label_says_so()
    {
        Assert.Throws<InvalidOperationException>(() => default(LabelSet.Enumerator).Current);
        LabelSet.Enumerator enumerator = LabelSet.Create([new("a", "1")]).GetEnumerator();
        Assert.Throws<InvalidOperationException>(() => enumerator.Current);
        Assert.True(enumerator.MoveNext());
        Assert.Equal(new("a", "1"), enumerator.Current);
        Assert.False(enumerator.MoveNext());
        Assert.Throws<InvalidOperationException>(() => enumerator.Current);
    }
}
