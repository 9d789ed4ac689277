#include "common/stats/sums.h"

#include <nlohmann/json.hpp>

#include "common/stats/families.h"

namespace holdfast::stats {
namespace {

using nlohmann::json;

json histogram_json(const HistogramNumbers& numbers) { return {{"buckets", numbers.buckets}, {"sum_us", numbers.sum_us}}; }

bool empty(const HistogramNumbers& numbers) { return numbers.buckets == HistogramNumbers{}.buckets; }

json destination_json(const DestinationNumbers& numbers) {
  json answers = json::object();
  for (std::size_t i = 0; i < kAnswers; ++i) {
    if (numbers.answers[i] != 0) answers[to_text(static_cast<Answer>(i))] = numbers.answers[i];
  }
  return {{"answers", std::move(answers)}, {"seconds", histogram_json(numbers.seconds)}};
}

json tally_json(const Tally& numbers) {
  json counters = json::object(), histograms = json::object(), destinations = json::object();
  for (std::size_t i = 0; i < kCounters; ++i) {
    const auto which = static_cast<Counter>(i);
    if (numbers[which] != 0) counters[series(which).text] = numbers[which];
  }
  for (std::size_t i = 0; i < kHistograms; ++i) {
    const auto which = static_cast<Histogram>(i);
    if (!empty(numbers[which])) histograms[series(which).text] = histogram_json(numbers[which]);
  }
  for (const auto& [name, one] : numbers.destinations) destinations[name] = destination_json(one);
  return {{"counters", std::move(counters)}, {"histograms", std::move(histograms)}, {"destinations", std::move(destinations)}};
}

// The value there, or 0.
std::uint64_t number(const json& object, std::string_view name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

const json& member(const json& object, std::string_view name) {
  static const json kNothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() ? *found : kNothing;
}

HistogramNumbers histogram(const json& object) {
  HistogramNumbers out;
  const json& buckets = member(object, "buckets");
  if (!buckets.is_array() || buckets.size() != kBuckets) return out;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (buckets[i].is_number_unsigned()) out.buckets[i] = buckets[i].get<std::uint64_t>();
  }
  out.sum_us = number(object, "sum_us");
  return out;
}

DestinationNumbers destination(const json& object) {
  DestinationNumbers out;
  const json& answers = member(object, "answers");
  for (std::size_t i = 0; i < kAnswers; ++i) out.answers[i] = number(answers, to_text(static_cast<Answer>(i)));
  out.seconds = histogram(member(object, "seconds"));
  return out;
}

Tally tally_of(const json& object) {
  Tally out;
  const json &counters = member(object, "counters"), &histograms = member(object, "histograms");
  for (std::size_t i = 0; i < kCounters; ++i) {
    const auto which = static_cast<Counter>(i);
    out[which] = number(counters, series(which).text);
  }
  for (std::size_t i = 0; i < kHistograms; ++i) {
    const auto which = static_cast<Histogram>(i);
    out[which] = histogram(member(histograms, series(which).text));
  }
  if (const json& destinations = member(object, "destinations"); destinations.is_object()) {
    for (const auto& [name, one] : destinations.items()) out.destinations.emplace(name, destination(one));
  }
  return out;
}

}  // namespace

std::string sums_json(const Sums& sums) {
  json daemons = json::object();
  for (const auto& [name, numbers] : sums) daemons[name] = tally_json(numbers);
  return json{{"daemons", std::move(daemons)}}.dump();
}

base::Result<Sums> parse_sums(const std::string& text) {
  const json said = json::parse(text, nullptr, false);
  const json& daemons = member(said, "daemons");
  if (!daemons.is_object()) return base::fail(base::Kind::kData, "an answer that cannot be understood");
  Sums out;
  for (const auto& [name, numbers] : daemons.items()) out.emplace(name, tally_of(numbers));
  return out;
}

}  // namespace holdfast::stats
