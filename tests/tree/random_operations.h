// tests/tree/random_operations.h: operations drawn from a seed, and the plain map that says what they
// must do.
#ifndef FIRN_TESTS_TREE_RANDOM_OPERATIONS_H_
#define FIRN_TESTS_TREE_RANDOM_OPERATIONS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "base/random.h"
#include "firn/proof.h"
#include "tree/operation.h"

namespace firn {

// Few distinct keys, so that they are hit again.
inline std::string DrawKey(Random& random, const TreeParameters& parameters, uint64_t keys) {
  std::string key(parameters.key_length, '\x42');
  const uint64_t index = 1 + random.Uniform(keys);
  for (size_t i = 0; i < sizeof(index) && i < key.size(); ++i) {
    key[key.size() - 1 - i] = static_cast<char>(index * 0x9e3779b97f4a7c15 >> (8 * (7 - i)));
  }
  return key;
}

inline std::string DrawValue(Random& random, const TreeParameters& parameters) {
  std::string value(parameters.value_length.value_or(8 + static_cast<uint32_t>(random.Uniform(20))),
                    '\0');
  for (char& byte : value) byte = static_cast<char>(random.Uniform(3));
  if (!value.empty()) value[0] = 0;  // a small number, where it is one
  return value;
}

inline Operation DrawOperation(Random& random, const TreeParameters& parameters, uint64_t keys) {
  const std::string key = DrawKey(random, parameters, keys);
  const std::string value = DrawValue(random, parameters);
  switch (random.Uniform(12)) {
    case 0:
      return Operation::Lookup(key);
    case 1:
      return Operation::Update(key, value);
    case 2:
      return Operation::Remove(key);
    case 3:
    case 4:
      return Operation::RemoveIfExists(key);
    case 5:
      return Operation::UpdateLongBy(key, static_cast<int64_t>(random.Uniform(7)) - 3);
    case 6:
      return Operation::UnknownModification(key);
    case 7:
    case 8:
      return Operation::InsertOrUpdate(key, value);
    default:
      return Operation::Insert(key, value);
  }
}

using Model = std::map<std::string, std::string>;

// What `operation` must return, and its effect on `model`.
inline absl::StatusOr<OldValue> ApplyToModel(const Operation& operation,
                                             const TreeParameters& parameters, Model& model) {
  const auto found = model.find(operation.key);
  OldValue old_value;
  std::optional<absl::string_view> old;
  if (found != model.end()) {
    old_value = found->second;
    old = *old_value;
  }
  std::string buffer;
  const absl::StatusOr<Evaluation> evaluation = Evaluate(operation, old, parameters, buffer);
  if (!evaluation.ok()) return evaluation.status();
  if (evaluation->effect == Effect::kStore) model[operation.key] = std::string(evaluation->value);
  if (evaluation->effect == Effect::kRemove) model.erase(found);
  return old_value;
}

}  // namespace firn

#endif  // FIRN_TESTS_TREE_RANDOM_OPERATIONS_H_
