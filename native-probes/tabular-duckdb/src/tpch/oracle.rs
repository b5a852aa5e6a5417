//! The results of the queries in whole numbers of their last digits, computed row by row while the tables are generated, and without SQL.

use super::Expected;
use bench_model::ModuleError;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use table_core::{Cell, Kind, text};
use tpchgen::generators::{Customer, LineItem, Nation, Order, Part, Region, Supplier};

/// Days since 1970-01-01 that the queries ask for.
struct Days {
    last_of_summary: i32,
    priority: i32,
    of_quarter: Range<i32>,
    of_1994: Range<i32>,
    of_promotion: Range<i32>,
}

impl Days {
    fn new() -> Result<Self, ModuleError> {
        let day = |date: &str| match text::parse(Kind::Date, date) {
            Ok(Cell::Date(day)) => Ok(day),
            _ => Err(ModuleError::Other(format!("`{date}` is not a date"))),
        };
        Ok(Self {
            last_of_summary: day("1998-09-02")?,
            priority: day("1995-03-15")?,
            of_quarter: day("1993-07-01")?..day("1993-10-01")?,
            of_1994: day("1994-01-01")?..day("1995-01-01")?,
            of_promotion: day("1995-09-01")?..day("1995-10-01")?,
        })
    }
}

/// What queries ask of a customer, a part and an order.
struct CustomerFacts {
    is_of_segment: bool,
    nation: i64,
}

struct PartFacts {
    is_promoted: bool,
    /// The quantities for which the price is discounted.
    discounted: Option<Range<i64>>,
}

struct OrderFacts {
    customer: i64,
    day: i32,
    priority: String,
    ship_priority: i32,
}

#[derive(Clone, Copy, Default)]
struct Group {
    rows: i128,
    quantity: i128,
    price: i128,
    discount: i128,
    discounted: i128,
    charge: i128,
}

/// What is known of the tables that were loaded, and the sums over the items so far.
pub(super) struct Oracle {
    days: Days,
    customers: HashMap<i64, CustomerFacts>,
    parts: HashMap<i64, PartFacts>,
    orders: HashMap<i64, OrderFacts>,
    /// Nations of suppliers.
    suppliers: HashMap<i64, i64>,
    /// Names of nations, and their regions.
    nations: HashMap<i64, (String, i64)>,
    asia: Option<i64>,

    groups: BTreeMap<(String, String), Group>,
    by_order: HashMap<i64, i128>,
    late_orders: HashSet<i64>,
    by_nation: BTreeMap<String, i128>,
    change: Option<i128>,
    /// Items of orders with a high priority, and of others, by the way they were shipped.
    shipped: BTreeMap<String, [u64; 2]>,
    promotion: i128,
    in_promotion: i128,
    discounted: Option<i128>,
}

impl Oracle {
    pub(super) fn new() -> Result<Self, ModuleError> {
        Ok(Self {
            days: Days::new()?,
            customers: HashMap::new(),
            parts: HashMap::new(),
            orders: HashMap::new(),
            suppliers: HashMap::new(),
            nations: HashMap::new(),
            asia: None,
            groups: BTreeMap::new(),
            by_order: HashMap::new(),
            late_orders: HashSet::new(),
            by_nation: BTreeMap::new(),
            change: None,
            shipped: BTreeMap::new(),
            promotion: 0,
            in_promotion: 0,
            discounted: None,
        })
    }

    pub(super) fn customer(&mut self, customer: &Customer<'_>) {
        let facts = CustomerFacts { is_of_segment: customer.c_mktsegment == "BUILDING", nation: customer.c_nationkey };
        self.customers.insert(customer.c_custkey, facts);
    }

    pub(super) fn part(&mut self, part: &Part<'_>) {
        let is_of = |brand: &str, kind: &str, containers: [&str; 4], size_max: i32| {
            let container = part.p_container.strip_prefix(kind).and_then(|rest| rest.strip_prefix(' '));
            part.p_brand.to_string() == brand
                && container.is_some_and(|container| containers.contains(&container))
                && (1..=size_max).contains(&part.p_size)
        };
        let discounted = if is_of("Brand#12", "SM", ["CASE", "BOX", "PACK", "PKG"], 5) {
            Some(1..12)
        } else if is_of("Brand#23", "MED", ["BAG", "BOX", "PKG", "PACK"], 10) {
            Some(10..21)
        } else if is_of("Brand#34", "LG", ["CASE", "BOX", "PACK", "PKG"], 15) {
            Some(20..31)
        } else {
            None
        };
        self.parts.insert(part.p_partkey, PartFacts { is_promoted: part.p_type.starts_with("PROMO"), discounted });
    }

    pub(super) fn order(&mut self, order: &Order<'_>) {
        let facts = OrderFacts {
            customer: order.o_custkey,
            day: order.o_orderdate.to_unix_epoch(),
            priority: order.o_orderpriority.to_owned(),
            ship_priority: order.o_shippriority,
        };
        self.orders.insert(order.o_orderkey, facts);
    }

    pub(super) fn supplier(&mut self, supplier: &Supplier) {
        self.suppliers.insert(supplier.s_suppkey, supplier.s_nationkey);
    }

    pub(super) fn nation(&mut self, nation: &Nation<'_>) {
        self.nations.insert(nation.n_nationkey, (nation.n_name.to_owned(), nation.n_regionkey));
    }

    pub(super) fn region(&mut self, region: &Region<'_>) {
        if region.r_name == "ASIA" {
            self.asia = Some(region.r_regionkey);
        }
    }

    /// Adds an item. All other tables of the query are known before.
    pub(super) fn item(&mut self, item: &LineItem<'_>) {
        let discount = i128::from(item.l_discount.0);
        let price = i128::from(item.l_extendedprice.0);
        let discounted = price * (100 - discount);
        let shipped = item.l_shipdate.to_unix_epoch();
        self.summarise(item, shipped, discounted);
        let is_small = (5..=7).contains(&discount) && item.l_quantity < 24;
        if is_small && self.days.of_1994.contains(&shipped) {
            *self.change.get_or_insert_default() += price * discount;
        }
        self.item_of_part(item, shipped, discounted);
        self.item_of_order(item, shipped, discounted);
    }

    fn summarise(&mut self, item: &LineItem<'_>, shipped: i32, discounted: i128) {
        if shipped > self.days.last_of_summary {
            return;
        }
        let key = (item.l_returnflag.to_owned(), item.l_linestatus.to_owned());
        let group = self.groups.entry(key).or_default();
        group.rows += 1;
        group.quantity += i128::from(item.l_quantity) * 100;
        group.price += i128::from(item.l_extendedprice.0);
        group.discount += i128::from(item.l_discount.0);
        group.discounted += discounted;
        group.charge += discounted * (100 + i128::from(item.l_tax.0));
    }

    fn item_of_part(&mut self, item: &LineItem<'_>, shipped: i32, discounted: i128) {
        let Some(part) = self.parts.get(&item.l_partkey) else { return };
        if self.days.of_promotion.contains(&shipped) {
            self.in_promotion += discounted;
            self.promotion += if part.is_promoted { discounted } else { 0 };
        }
        let is_by_air = matches!(item.l_shipmode, "AIR" | "AIR REG") && item.l_shipinstruct == "DELIVER IN PERSON";
        if is_by_air && part.discounted.as_ref().is_some_and(|quantities| quantities.contains(&item.l_quantity)) {
            *self.discounted.get_or_insert_default() += discounted;
        }
    }

    fn item_of_order(&mut self, item: &LineItem<'_>, shipped: i32, discounted: i128) {
        let Some(order) = self.orders.get(&item.l_orderkey) else { return };
        let is_late = item.l_commitdate < item.l_receiptdate;
        if is_late && self.days.of_quarter.contains(&order.day) {
            self.late_orders.insert(item.l_orderkey);
        }
        let is_of_1994 = self.days.of_1994.contains(&item.l_receiptdate.to_unix_epoch());
        if is_late && is_of_1994 && item.l_shipdate < item.l_commitdate && matches!(item.l_shipmode, "MAIL" | "SHIP") {
            let is_high = matches!(order.priority.as_str(), "1-URGENT" | "2-HIGH");
            self.shipped.entry(item.l_shipmode.to_owned()).or_default()[usize::from(!is_high)] += 1;
        }
        let Some(customer) = self.customers.get(&order.customer) else { return };
        if customer.is_of_segment && order.day < self.days.priority && shipped > self.days.priority {
            *self.by_order.entry(item.l_orderkey).or_default() += discounted;
        }
        let nation = self.suppliers.get(&item.l_suppkey).filter(|nation| **nation == customer.nation);
        if let Some((name, region)) = nation.and_then(|nation| self.nations.get(nation))
            && Some(*region) == self.asia
            && self.days.of_1994.contains(&order.day)
        {
            *self.by_nation.entry(name.clone()).or_default() += discounted;
        }
    }

    /// The rows of a query's result, in their order.
    pub(super) fn rows(&self, query: i64) -> Option<Vec<Vec<Expected>>> {
        Some(match query {
            1 => self.pricing_summary(),
            3 => self.shipping_priority(),
            4 => self.order_priority(),
            5 => self.local_suppliers(),
            6 => vec![vec![sum(self.change)]],
            12 => self.shipping_modes(),
            14 if self.in_promotion == 0 => vec![vec![sum(None)]],
            14 => vec![vec![Expected::Quotient(100.0 * self.promotion as f64 / self.in_promotion as f64)]],
            19 => vec![vec![sum(self.discounted)]],
            _ => return None,
        })
    }

    fn pricing_summary(&self) -> Vec<Vec<Expected>> {
        let row = |((flag, status), group): (&(String, String), &Group)| {
            let mean = |sum: i128| Expected::Quotient(sum as f64 / 100.0 / group.rows as f64);
            vec![
                exact(flag),
                exact(status),
                exact(decimal(group.quantity, 2)),
                exact(decimal(group.price, 2)),
                exact(decimal(group.discounted, 4)),
                exact(decimal(group.charge, 6)),
                mean(group.quantity),
                mean(group.price),
                mean(group.discount),
                exact(group.rows),
            ]
        };
        self.groups.iter().map(row).collect()
    }

    fn shipping_priority(&self) -> Vec<Vec<Expected>> {
        let known = |(key, revenue): (&i64, &i128)| Some((Reverse(*revenue), self.orders.get(key)?.day, *key));
        let mut orders: Vec<_> = self.by_order.iter().filter_map(known).collect();
        orders.sort_unstable();
        let row = |(Reverse(revenue), day, key): (Reverse<i128>, i32, i64)| {
            let mut date = String::new();
            text::write(Cell::Date(day), &mut date);
            let ship_priority = self.orders.get(&key).map_or(0, |order| order.ship_priority);
            vec![exact(key), exact(decimal(revenue, 4)), exact(date), exact(ship_priority)]
        };
        orders.into_iter().take(10).map(row).collect()
    }

    fn order_priority(&self) -> Vec<Vec<Expected>> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for order in self.late_orders.iter().filter_map(|key| self.orders.get(key)) {
            *counts.entry(&order.priority).or_default() += 1;
        }
        counts.into_iter().map(|(priority, count)| vec![exact(priority), exact(count)]).collect()
    }

    fn local_suppliers(&self) -> Vec<Vec<Expected>> {
        let mut nations: Vec<_> = self.by_nation.iter().collect();
        nations.sort_by_key(|(_, revenue)| Reverse(**revenue));
        nations.into_iter().map(|(name, revenue)| vec![exact(name), exact(decimal(*revenue, 4))]).collect()
    }

    fn shipping_modes(&self) -> Vec<Vec<Expected>> {
        let row = |(mode, [high, low]): (&String, &[u64; 2])| vec![exact(mode), exact(high), exact(low)];
        self.shipped.iter().map(row).collect()
    }
}

fn exact(cell: impl std::fmt::Display) -> Expected {
    Expected::Exact(cell.to_string())
}

/// A sum with four digits behind the point, which is NULL over no rows.
fn sum(sum: Option<i128>) -> Expected {
    exact(sum.map_or_else(String::new, |sum| decimal(sum, 4)))
}

/// A number that is not negative, with this many digits behind the point.
fn decimal(value: i128, digits: u32) -> String {
    let unit = 10_i128.pow(digits);
    format!("{}.{:0width$}", value / unit, value % unit, width = digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits() {
        assert_eq!((decimal(7, 4), decimal(1_230_078, 6)), ("0.0007".to_owned(), "1.230078".to_owned()));
        assert_eq!((sum(None), sum(Some(7))), (exact(""), exact("0.0007")));
    }
}
