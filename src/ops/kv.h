// SPDX-License-Identifier: Apache-2.0
// What moves tokens and their keys and values between a step and the states.
//   token_source: ids i32 [T], slots i32 [T], last_token i32 [slots] -> i32 [T]: ids where they are >= 0, else the last
//                 token of the row's slot, which an earlier step sampled and the host has not seen yet.
//   kv_write:     state [places, ..], x [T, ..], places i32 [T] -> the state with row i of x at places[i], in the
//   state's
//                 type (f32, f16, bf16, i32; rounded to nearest even). Of several rows for one place the last stays.
// A slot or place outside is an Error does_not_fit. Neither has attributes.
#pragma once
