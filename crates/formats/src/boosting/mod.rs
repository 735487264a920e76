//! Gradient-boosted trees: XGBoost, LightGBM and CatBoost. Their readers trust the indices of a tree, so a bad one reads
//! or writes outside an array; here each is held against the tree it is in.

mod catboost;
mod lightgbm;
mod tree;
mod xgboost;

pub use catboost::CatBoost;
pub use lightgbm::LightGbm;
pub use xgboost::{XgBoost, XgBoostBinary};
