"""Places: shops and warehouses, their hours, pickup slots and business day."""
